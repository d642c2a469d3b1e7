import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import { type Compilation, compileMessage } from "./compile.ts";
import type { Answer, Example, ProviderState } from "./example.ts";
import { compileMatcher, isMatcher } from "./matcher.ts";
import type { Pattern } from "./pattern.ts";
import { isFresh, placeholdersIn } from "./placeholders.ts";
import type { Problems } from "./problems.ts";

const keys: readonly string[] = ["name", "state", "metadata", "request", "response", "responses", "open", "error"];

/** One entry of a method's list. Undefined when it is so broken that there is nothing to go on with; that was reported. */
export function compileExample(method: DescMethod, node: unknown, problems: Problems): Example | undefined {
  const name = isMap(node) ? node.get("name") : undefined;
  if (!isMap(node) || typeof name !== "string" || name === "") {
    problems.report(node, method.name, "give the example a name");
    return undefined;
  }
  const where = `${method.name}: "${name}"`;
  for (const { key } of node.items) {
    const said = isScalar(key) ? String(key.value) : "";
    if (!keys.includes(said)) problems.report(key, where, `"${said}" means nothing here: use ${keys.join(", ")}`);
  }
  const state = compileState(node.get("state", true), where, problems);
  const names = new Set([
    ...Object.keys(state?.params ?? {}),
    ...Object.keys(state?.values ?? {}),
    ...freshNames(node),
  ]);
  const c: Compilation = { problems, where, matchers: true, names };
  const request = node.get("request", true);
  if (request === undefined) {
    problems.report(node, where, "it has no request; one without fields is {}");
    return undefined;
  }
  const metadata = texts(node.get("metadata", true), `${where}: metadata`, problems);
  return {
    name,
    method,
    state,
    metadata,
    request: compileMessage(method.input, request, "request", { ...c, matchers: false }),
    answer: compileAnswer(method, node, c),
    line: problems.lineOf(node),
  };
}

function compileAnswer(method: DescMethod, node: YAMLMap, c: Compilation): Answer {
  const [key, ...more] = ["response", "responses", "error"].filter((name) => node.has(name));
  const streams = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  const open = node.get("open") === true;
  if (more.length > 0) c.problems.report(node, c.where, `it has ${key} and ${more.join(" and ")}: give one`);
  if (node.has("open") && key !== "responses")
    c.problems.report(node, c.where, "only a stream of responses can stay open");
  if (key === "error") return compileError(node.get("error", true), c);
  if (key === "response" && !streams) {
    const message = compileMessage(method.output, node.get("response", true), "response", c);
    return { kind: "responses", messages: [message], open };
  }
  const list = node.get("responses", true);
  if (key === "responses" && streams && isSeq(list)) {
    if (open && list.items.length === 0) {
      c.problems.report(
        node,
        c.where,
        "a stream that stays open shows a response first: nothing tells it from one that hangs",
      );
    }
    const messages = list.items.map((item, i) => compileMessage(method.output, item, `responses[${i}]`, c));
    return { kind: "responses", messages, open };
  }
  c.problems.report(node, c.where, streams ? "give `responses:`, a list, or `error:`" : "give `response:` or `error:`");
  return { kind: "responses", messages: [], open };
}

function compileError(node: unknown, c: Compilation): Answer {
  const name = isMap(node) ? String(node.get("code") ?? "") : "";
  const code = codeOf(name);
  if (code === undefined)
    c.problems.report(node, `${c.where}: error.code`, `"${name}" is no gRPC code, such as NOT_FOUND`);
  const said = isMap(node) ? node.get("message", true) : undefined;
  return { kind: "error", code: code ?? Code.Unknown, message: said === undefined ? undefined : compileText(said, c) };
}

function compileText(node: unknown, c: Compilation): Pattern | undefined {
  if (isScalar(node) && typeof node.value === "string") {
    for (const name of placeholdersIn(node.value)) {
      if (!c.names.has(name))
        c.problems.report(node, `${c.where}: error.message`, `nothing gives a value for \${${name}}`);
    }
    return { kind: "exact", value: node.value };
  }
  const compiled = isMatcher(node) ? compileMatcher(node, "string") : { problem: "write a text or a matcher" };
  if (compiled.problem) c.problems.report(node, `${c.where}: error.message`, compiled.problem);
  return compiled.pattern;
}

/** NOT_FOUND → Code.NotFound. */
function codeOf(name: string): Code | undefined {
  if (name === "CANCELLED") return Code.Canceled;
  const words = name.split("_").map((word) => word.charAt(0) + word.slice(1).toLowerCase());
  const found = /^[A-Z_]+$/.test(name) ? Code[words.join("") as keyof typeof Code] : undefined;
  return found;
}

function compileState(node: unknown, where: string, problems: Problems): ProviderState | undefined {
  if (node === undefined) return undefined;
  if (isScalar(node) && typeof node.value === "string") return { name: node.value, params: {}, values: {} };
  if (isMap(node) && typeof node.get("name") === "string") {
    return {
      name: String(node.get("name")),
      params: texts(node.get("params", true), `${where}: state.params`, problems),
      values: texts(node.get("values", true), `${where}: state.values`, problems),
    };
  }
  problems.report(node, `${where}: state`, "write its name, or a map of name, params and values");
  return undefined;
}

function texts(node: unknown, where: string, problems: Problems): Record<string, string> {
  const entries: [string, string][] = [];
  if (node !== undefined && !isMap(node)) problems.report(node, where, "write a map of names to texts");
  for (const { key, value } of isMap(node) ? node.items : []) {
    if (isScalar(key) && isScalar(value) && value.value !== null)
      entries.push([String(key.value), String(value.value)]);
    else problems.report(key, where, "write one text");
  }
  return Object.fromEntries(entries);
}

/** Every `${uuid:…}` of the example: they need no state. */
function freshNames(node: YAMLMap): string[] {
  return placeholdersIn(JSON.stringify(node.toJSON())).filter(isFresh);
}
