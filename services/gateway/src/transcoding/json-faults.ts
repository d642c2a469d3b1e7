import { type DescField, type DescMessage, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { expected, expectedItem } from "./expected.ts";
import type { FieldFault } from "./faults.ts";
import { fieldNamed } from "./field-path.ts";

/**
 * Every field of `json` that the message can't take, by its path. protobuf's own reading is the judge; this finds out which
 * parts it refuses, since its error names the first one alone, and by the contract's spelling.
 */
export function jsonFaults(message: DescMessage, json: JsonObject, path = ""): readonly FieldFault[] {
  return Object.entries(json).flatMap(([key, value]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const field = fieldNamed(message, key);
    return field === undefined ? [{ field: at, description: "there is no such field" }] : valueFaults(field, value, at);
  });
}

/** Whether JSON's `null`, text and so on are its own business: Timestamp, Duration, FieldMask, wrappers, Struct. */
export function hasJsonOfItsOwn(message: DescMessage): boolean {
  return message.typeName.startsWith("google.protobuf.");
}

function valueFaults(field: DescField, value: JsonValue, at: string): readonly FieldFault[] {
  if (field.fieldKind === "list" && Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const where = `${at}[${index}]`;
      if (field.listKind === "message" && !hasJsonOfItsOwn(field.message)) {
        return isObject(item)
          ? jsonFaults(field.message, item, where)
          : [{ field: where, description: "must be an object" }];
      }
      return reads(field, [item]) ? [] : [{ field: where, description: expectedItem(field) }];
    });
  }
  if (field.fieldKind === "message" && !hasJsonOfItsOwn(field.message) && isObject(value)) {
    return jsonFaults(field.message, value, at);
  }
  if (field.fieldKind === "map" && isObject(value)) {
    return Object.entries(value).flatMap(([key, item]) => {
      const where = `${at}[${JSON.stringify(key)}]`;
      if (field.mapKind === "message" && !hasJsonOfItsOwn(field.message) && isObject(item)) {
        return jsonFaults(field.message, item, where);
      }
      return reads(field, { [key]: item }) ? [] : [{ field: where, description: "has the wrong type" }];
    });
  }
  return reads(field, value) ? [] : [{ field: at, description: expected(field) }];
}

function reads(field: DescField, value: JsonValue): boolean {
  try {
    fromJson(field.parent, { [field.jsonName]: value });
    return true;
  } catch {
    return false;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
