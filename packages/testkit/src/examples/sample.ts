import type { JsonValue } from "@bufbuild/protobuf";
import type { Pattern } from "./pattern.ts";
import { type Bindings, fill } from "./placeholders.ts";

/** One value that the pattern allows, in proto JSON: what a provider is asked with, and what a stub answers. */
export function sample(pattern: Pattern, bindings: Bindings, newUuid: () => string): JsonValue {
  switch (pattern.kind) {
    case "exact":
      return typeof pattern.value === "string" ? fill(pattern.value, bindings, newUuid) : pattern.value;
    case "oneOf":
      return pattern.values[0] ?? null;
    case "object":
      return Object.fromEntries(
        Object.entries(pattern.fields).map(([name, field]) => [name, sample(field, bindings, newUuid)]),
      );
    case "list":
      return pattern.items.map((item) => sample(item, bindings, newUuid));
    case "each":
      return Array.from({ length: pattern.min }, () => sample(pattern.item, bindings, newUuid));
    case "type":
    case "regex":
      return pattern.example;
    case "contains":
      return pattern.text;
  }
}
