import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type YAMLMap } from "yaml";
import { compileExample } from "./compile-example.ts";
import type { Example, ServiceExamples } from "./example.ts";
import { fillKnown } from "./placeholders.ts";
import { collectProblems, ExamplesError, type Problems } from "./problems.ts";

/**
 * Reads a service's examples and holds them against its contract. The file is YAML:
 *
 * ```yaml
 * service: shop.user.v1.UserService
 * methods:
 *   GetUser:                                     # a list for each method of the contract
 *     - name: finds an account
 *       state:                                   # or its name alone; a provider's test makes it true
 *         name: an account
 *         params: { email: ada@example.com }     # ${email} below
 *         values: { user_id: a0000000-… }        # ${user_id} below; the provider's test may give another
 *       metadata: { idempotency-key: "${uuid:key}" }
 *       request: { userId: "${user_id}" }        # proto JSON, no matchers
 *       response:                                # only the fields that are named are looked at
 *         user: { id: "${user_id}", createdAt: { $type: timestamp } }
 * ```
 *
 * - `response` for a unary method, `responses`, a list, for a stream (`open: true` when it stays open after them), or
 *   `error: { code, message }`.
 * - Matchers: `{ $type: uuid | timestamp | string | int }`, `{ $contains: text }`, `{ $regex, $example }`, `{ $oneOf: [values] }`,
 *   and `{ $each: pattern, $min: 1 }` for a list. A stub answers `$example`, or a value that fits.
 * - `${uuid:name}` is a new id in each run; a stub takes any, and gives the same one back.
 *
 * Throws an ExamplesError that names file, line, method, example and field of everything that doesn't fit: unknown methods
 * and fields, values of a wrong type, unknown error codes, methods without an example, and requests that a stub couldn't
 * tell apart.
 */
export function loadExamples<S extends DescService>(service: S, file: string | URL): ServiceExamples<S> {
  const path = typeof file === "string" ? file : fileURLToPath(file);
  const shown = relative(process.cwd(), path);
  return parseExamples(service, readFileSync(path, "utf8"), shown);
}

/** The same for text that was read already; `file` is only named in errors. */
export function parseExamples<S extends DescService>(service: S, text: string, file: string): ServiceExamples<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) throw new ExamplesError(`${file}:${lines.linePos(broken.pos[0]).line}: ${broken.message.split("\n")[0]}`);
  // An alias stands for what it names; problems in it are told where its anchor is.
  visit(document, { Alias: (_, alias) => alias.resolve(document) });
  const problems = collectProblems(file, lines);
  const root = document.contents;
  const examples = isMap(root) ? readService(service, root, problems) : [];
  if (!isMap(root)) problems.report(root, service.typeName, "begin with `service:` and `methods:`");
  problems.settle();
  return { service, file, examples };
}

function readService(service: DescService, root: YAMLMap, problems: Problems): Example[] {
  for (const { key } of root.items) {
    const name = isScalar(key) ? String(key.value) : "";
    if (name !== "service" && name !== "methods")
      problems.report(key, service.typeName, `"${name}" means nothing here`);
  }
  if (root.get("service") !== service.typeName) {
    problems.report(
      root.get("service", true),
      service.typeName,
      `these are examples of ${String(root.get("service"))}`,
    );
  }
  const methods = root.get("methods", true);
  const examples: Example[] = [];
  const seen = new Set<DescMethod>();
  for (const { key, value } of isMap(methods) ? methods.items : []) {
    const name = isScalar(key) ? String(key.value) : "";
    const method = service.methods.find((m) => m.name === name);
    if (method === undefined) {
      problems.report(key, name, `${service.typeName} has no method "${name}"`);
    } else if (!isSeq(value) || value.items.length === 0) {
      problems.report(key, name, "write a list of examples");
    } else {
      examples.push(...readMethod(method, value.items, problems));
    }
    if (method) seen.add(method);
  }
  for (const method of service.methods) {
    if (!seen.has(method)) problems.report(methods, method.name, "the method has no example");
  }
  return examples;
}

function readMethod(method: DescMethod, nodes: readonly unknown[], problems: Problems): Example[] {
  const examples: Example[] = [];
  const requests = new Map<string, string>();
  for (const node of nodes) {
    const example = compileExample(method, node, problems);
    if (example === undefined) continue;
    const where = `${method.name}: "${example.name}"`;
    if (examples.some(({ name }) => name === example.name))
      problems.report(node, where, "another example has this name");
    const request = fillKnown(JSON.stringify(example.request), { ...example.state?.params, ...example.state?.values });
    const twin = requests.get(request);
    if (twin !== undefined) problems.report(node, where, `a stub can't tell its request from that of "${twin}"`);
    requests.set(request, example.name);
    examples.push(example);
  }
  return examples;
}
