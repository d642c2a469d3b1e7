import type { JsonValue } from "@bufbuild/protobuf";

/** What a part of a message must be. Messages are compared in proto JSON; a field that a pattern leaves out is not looked at. */
export type Pattern =
  /** This value, in canonical proto JSON; strings may hold placeholders. */
  | { readonly kind: "exact"; readonly value: JsonValue }
  /** One of these, in canonical proto JSON. */
  | { readonly kind: "oneOf"; readonly values: readonly JsonValue[] }
  /** These fields, by JSON name. */
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, Pattern>> }
  /** These elements, no more and no fewer. */
  | { readonly kind: "list"; readonly items: readonly Pattern[] }
  /** At least `min` elements, and each of them so. */
  | { readonly kind: "each"; readonly item: Pattern; readonly min: number }
  | { readonly kind: "type"; readonly type: ValueType; readonly example: JsonValue }
  | { readonly kind: "regex"; readonly regex: RegExp; readonly example: string }
  | { readonly kind: "contains"; readonly text: string };

export type ValueType = "uuid" | "timestamp" | "string" | "int";
