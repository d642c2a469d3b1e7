import { type DescEnum, type DescField, type DescMessage, type JsonValue, ScalarType } from "@bufbuild/protobuf";
import { hasJsonOfItsOwn } from "./json-faults.ts";

/**
 * The JSON of a field whose values came as text, from a path or a query. Numbers stay text, which protobuf's JSON reads
 * as well. Undefined when the field can't come as text: a message, a map, or several values for one.
 */
export function textToJson(field: DescField, texts: readonly string[]): JsonValue | undefined {
  switch (field.fieldKind) {
    case "list":
      if (field.listKind === "scalar") return texts.map((text) => scalarToJson(field.scalar, text));
      if (field.listKind === "enum") return texts.map((text) => enumToJson(field.enum, text));
      return hasJsonOfItsOwn(field.message) ? texts.map((text) => messageToJson(field.message, text)) : undefined;
    case "map":
      return undefined;
  }
  const [text] = texts;
  if (text === undefined || texts.length > 1) return undefined;
  switch (field.fieldKind) {
    case "scalar":
      return scalarToJson(field.scalar, text);
    case "enum":
      return enumToJson(field.enum, text);
    case "message":
      return hasJsonOfItsOwn(field.message) ? messageToJson(field.message, text) : undefined;
  }
}

function scalarToJson(scalar: ScalarType, text: string): JsonValue {
  return scalar === ScalarType.BOOL && (text === "true" || text === "false") ? text === "true" : text;
}

/** By name, or by number. */
function enumToJson(type: DescEnum, text: string): JsonValue {
  return type.values.some(({ name }) => name === text) || !/^-?\d{1,10}$/.test(text) ? text : Number(text);
}

/** Times, durations and masks are strings in JSON; a wrapper is what it wraps. */
function messageToJson(message: DescMessage, text: string): JsonValue {
  const wrapped = message.typeName.endsWith("Value") ? message.fields[0] : undefined;
  return wrapped?.fieldKind === "scalar" ? scalarToJson(wrapped.scalar, text) : text;
}
