import { type DescMessage, type JsonObject, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import type { Pattern, ValueType } from "./pattern.ts";
import { type Bindings, isUuid, matchTemplate } from "./placeholders.ts";

/** The message in the form that patterns are compared with: canonical proto JSON in which zero values are said. */
export function toComparable<D extends DescMessage>(desc: D, message: MessageShape<D>): JsonValue {
  return toJson(desc, message, { alwaysEmitImplicit: true });
}

/** How `actual` differs from what the pattern says, a line a difference; nothing when it doesn't. */
export function* differences(
  pattern: Pattern,
  actual: JsonValue | undefined,
  bindings: Bindings,
  path = "",
): Iterable<string> {
  const here = path || "the message";
  switch (pattern.kind) {
    case "exact":
      if (!equals(pattern.value, actual, bindings)) yield `${here} is ${show(actual)}, not ${show(pattern.value)}`;
      return;
    case "oneOf":
      if (!pattern.values.some((value) => equals(value, actual, bindings))) {
        yield `${here} is ${show(actual)}, not one of ${show([...pattern.values])}`;
      }
      return;
    case "object":
      if (!isObject(actual)) {
        yield `${here} is ${show(actual)}, not a message`;
        return;
      }
      for (const [name, field] of Object.entries(pattern.fields)) {
        yield* differences(field, actual[name], bindings, path ? `${path}.${name}` : name);
      }
      return;
    case "list":
      if (!Array.isArray(actual) || actual.length !== pattern.items.length) {
        yield `${here} is ${show(actual)}, not ${pattern.items.length} elements`;
        return;
      }
      for (const [i, item] of pattern.items.entries()) yield* differences(item, actual[i], bindings, `${path}[${i}]`);
      return;
    case "each":
      if (!Array.isArray(actual) || actual.length < pattern.min) {
        yield `${here} is ${show(actual)}, not ${pattern.min} or more elements`;
        return;
      }
      for (const [i, element] of actual.entries()) yield* differences(pattern.item, element, bindings, `${path}[${i}]`);
      return;
    case "type":
      if (!isOfType(pattern.type, actual)) yield `${here} is ${show(actual)}, not of type ${pattern.type}`;
      return;
    case "regex":
      if (typeof actual !== "string" || !pattern.regex.test(actual)) {
        yield `${here} is ${show(actual)}, which doesn't match ${pattern.regex}`;
      }
      return;
    case "contains":
      if (typeof actual !== "string" || !actual.includes(pattern.text)) {
        yield `${here} is ${show(actual)}, which doesn't contain ${show(pattern.text)}`;
      }
      return;
  }
}

/** The first field that is set in `actual` and that the pattern doesn't speak of. */
export function unspoken(pattern: Pattern, actual: JsonValue, path = ""): string | undefined {
  if (pattern.kind === "object" && isObject(actual)) {
    for (const [name, value] of Object.entries(actual)) {
      const field = pattern.fields[name];
      const inner = path ? `${path}.${name}` : name;
      const found = field === undefined ? inner : unspoken(field, value ?? null, inner);
      if (found !== undefined) return found;
    }
  }
  if (pattern.kind === "list" && Array.isArray(actual)) {
    for (const [i, item] of pattern.items.entries()) {
      const found = unspoken(item, actual[i] ?? null, `${path}[${i}]`);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function isOfType(type: ValueType, value: JsonValue | undefined): boolean {
  switch (type) {
    case "uuid":
      return typeof value === "string" && isUuid(value);
    case "timestamp":
      return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
    case "string":
      return typeof value === "string";
    case "int":
      // 64-bit integers are strings in proto JSON.
      return Number.isInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value));
  }
}

function equals(expected: JsonValue, actual: JsonValue | undefined, bindings: Bindings): boolean {
  if (typeof expected === "string" && typeof actual === "string") return matchTemplate(expected, actual, bindings);
  return JSON.stringify(expected) === JSON.stringify(actual);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
