import { type DescField, type DescMessage, fromJson, type JsonValue, ScalarType, toJson } from "@bufbuild/protobuf";
import { isMap, isNode, isScalar, isSeq, type Scalar, type YAMLMap } from "yaml";
import { compileMatcher, isMatcher, type MatcherTarget } from "./matcher.ts";
import type { Pattern } from "./pattern.ts";
import { placeholdersIn } from "./placeholders.ts";
import type { Problems } from "./problems.ts";

export interface Compilation {
  readonly problems: Problems;
  /** The method and example that messages of problems begin with. */
  readonly where: string;
  /** Requests are sent as they stand, so that nothing in them can be a matcher. */
  readonly matchers: boolean;
  /** Placeholders that have a value. */
  readonly names: ReadonlySet<string>;
}

const nothing: Pattern = { kind: "object", fields: {} };

/** A message as YAML has it, checked against its descriptor. Problems are reported, and the pattern then not to be used. */
export function compileMessage(desc: DescMessage, node: unknown, path: string, c: Compilation): Pattern {
  if (!isMap(node)) {
    report(c, node, path, `write the fields of ${desc.typeName} here`);
    return nothing;
  }
  const fields: Record<string, Pattern> = {};
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : "";
    const inner = path ? `${path}.${name}` : name;
    const field = desc.fields.find((f) => f.jsonName === name || f.name === name);
    if (field === undefined) {
      report(c, key, inner, `${desc.typeName} has no field "${name}"`);
    } else {
      fields[field.jsonName] = compileField(field, value, inner, c);
    }
  }
  return { kind: "object", fields };
}

function compileField(field: DescField, node: unknown, path: string, c: Compilation): Pattern {
  if (field.fieldKind === "list" && isSeq(node)) {
    return { kind: "list", items: node.items.map((item, i) => compileValue(field, item, `${path}[${i}]`, c)) };
  }
  if (field.fieldKind === "list" && isMap(node) && node.has("$each")) return compileEach(field, node, path, c);
  if (field.fieldKind === "list") {
    report(c, node, path, "the field is repeated: write a list");
    return nothing;
  }
  if (field.fieldKind === "map" && isMap(node)) {
    const entries = node.items.map(({ key, value }) => {
      const name = isScalar(key) ? String(key.value) : "";
      return [name, compileValue(field, value, `${path}.${name}`, c)] as const;
    });
    return { kind: "object", fields: Object.fromEntries(entries) };
  }
  return compileValue(field, node, path, c);
}

function compileEach(field: DescField, node: YAMLMap, path: string, c: Compilation): Pattern {
  if (!c.matchers) report(c, node, path, "a request has no matchers: write the value that is sent");
  const min = node.get("$min") ?? 1;
  if (!Number.isInteger(min)) report(c, node, path, "$min is a number of elements");
  return { kind: "each", item: compileValue(field, node.get("$each", true), `${path}[]`, c), min: Number(min) };
}

/** One value of a field: the field's own, or an element's of a list or map. */
function compileValue(field: DescField, node: unknown, path: string, c: Compilation): Pattern {
  if (isMatcher(node)) {
    if (!c.matchers) report(c, node, path, "a request has no matchers: write the value that is sent");
    if (node.has("$oneOf")) return compileOneOf(field, node, path, c);
    const { pattern, problem } = compileMatcher(node, targetOf(field));
    if (problem) report(c, node, path, problem);
    return pattern ?? nothing;
  }
  if (field.message && isMap(node) && !hasOwnJson(field.message)) return compileMessage(field.message, node, path, c);
  if (isScalar(node)) return compileScalar(field, node, path, c);
  if (field.message && isNode(node) && hasOwnJson(field.message))
    return compileExact(field, node, node.toJSON(), path, c);
  report(c, node, path, field.message ? `write the fields of ${field.message.typeName} here` : "write one value here");
  return nothing;
}

function compileOneOf(field: DescField, node: YAMLMap, path: string, c: Compilation): Pattern {
  const choices = node.get("$oneOf", true);
  const patterns = isSeq(choices) ? choices.items.map((item) => compileValue(field, item, path, c)) : [];
  const values = patterns.flatMap((pattern) => (pattern.kind === "exact" ? [pattern.value] : []));
  if (values.length === 0) report(c, node, path, "$oneOf is a list of values");
  return { kind: "oneOf", values };
}

function compileScalar(field: DescField, node: Scalar, path: string, c: Compilation): Pattern {
  const value = node.value as JsonValue;
  if (value === null) {
    report(c, node, path, "it has no value");
    return nothing;
  }
  const unknown = typeof value === "string" ? placeholdersIn(value).filter((name) => !c.names.has(name)) : [];
  for (const name of unknown) report(c, node, path, `nothing gives a value for \${${name}}`);
  return compileExact(field, node, value, path, c);
}

function compileExact(field: DescField, node: unknown, value: JsonValue, path: string, c: Compilation): Pattern {
  try {
    return { kind: "exact", value: canonical(field, value) };
  } catch (error) {
    report(c, node, path, error instanceof Error ? error.message : String(error));
    return nothing;
  }
}

/** The value as proto JSON writes it: a 64-bit integer as text, an enum by name. Throws when the field can't hold it. */
function canonical(field: DescField, value: JsonValue): JsonValue {
  const wrap = { list: [value], map: { key: value }, scalar: value, enum: value, message: value }[field.fieldKind];
  const message = fromJson(field.parent, { [field.jsonName]: wrap });
  const json = toJson(field.parent, message, { alwaysEmitImplicit: true }) as Record<string, JsonValue>;
  const whole = json[field.jsonName] ?? null;
  if (field.fieldKind === "list") return (whole as JsonValue[])[0] ?? null;
  if (field.fieldKind === "map") return Object.values(whole as Record<string, JsonValue>)[0] ?? null;
  return whole;
}

/** Whether proto JSON writes the message otherwise than as a map of its fields, as it does a Timestamp. */
function hasOwnJson(message: DescMessage): boolean {
  return message.typeName.startsWith("google.protobuf.") && message.typeName !== "google.protobuf.Empty";
}

function targetOf(field: DescField): MatcherTarget {
  if (field.message) return field.message.typeName === "google.protobuf.Timestamp" ? "timestamp" : "message";
  if (field.scalar === ScalarType.STRING) return "string";
  const integer =
    field.scalar !== undefined &&
    ![ScalarType.BOOL, ScalarType.BYTES, ScalarType.DOUBLE, ScalarType.FLOAT].includes(field.scalar);
  return integer ? "int" : "other";
}

function report(c: Compilation, node: unknown, path: string, problem: string): void {
  c.problems.report(node, path ? `${c.where}: ${path}` : c.where, problem);
}
