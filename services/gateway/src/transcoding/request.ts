import { type DescField, fromJson, type JsonObject, type JsonValue, type Message } from "@bufbuild/protobuf";
import { expected } from "./expected.ts";
import { BadRequestError, type FieldFault } from "./faults.ts";
import { fieldsAlong, jsonPath } from "./field-path.ts";
import { isObject, jsonFaults } from "./json-faults.ts";
import { restSpelling } from "./rest-spelling.ts";
import type { Route } from "./routes.ts";
import { textToJson } from "./text-value.ts";
import { addMask } from "./update-mask.ts";

/** A REST request, parsed and no more. */
export interface RestRequest {
  readonly captures: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** The body's JSON; undefined when it is empty. */
  readonly body: JsonValue | undefined;
}

/**
 * The message that a REST request means: fields from the path, the query and the body, as the route says. Throws a
 * BadRequestError with every field that is unknown, given twice or of the wrong type.
 */
export function toMessage(route: Route, request: RestRequest): Message {
  const json = bodyJson(route, request.body);
  const inPath = [...request.captures].map(([path, text]) => addCapture(route, json, path, text));
  const keys = [...new Set(request.query.keys())];
  const inQuery = keys.map((key) => addParameter(route, json, key, request.query.getAll(key), request.captures));
  const faults = [...inPath, ...inQuery].filter((fault) => fault !== undefined);
  return read(route, json, faults.length === 0 ? addMask(route, json) : faults);
}

/** Sets what the path gives; the fault when the body says otherwise. */
function addCapture(route: Route, json: JsonObject, path: string, text: string): FieldFault | undefined {
  const fields = fieldsAlong(route.method.input, path) ?? [];
  const field = restSpelling(route, jsonPath(fields));
  const given = valueAt(json, fields) ?? text;
  const value = textValue(fields, [text]);
  if (value === undefined || !place(json, fields, value)) return { field, description: "can't come from the path" };
  return String(given) === text ? undefined : { field, description: "differs from the path's" };
}

/** Sets what a parameter of the query gives; the fault when it can't. */
function addParameter(
  route: Route,
  json: JsonObject,
  key: string,
  texts: readonly string[],
  captures: RestRequest["captures"],
): FieldFault | undefined {
  const fields = fieldsAlong(route.method.input, key);
  const last = fields?.at(-1);
  if (fields === undefined || last === undefined || isInBody(route, fields)) {
    return { field: key, description: "there is no such parameter" };
  }
  const field = restSpelling(route, jsonPath(fields));
  if (captures.has(fields.map(({ name }) => name).join("."))) return { field, description: "is in the path already" };
  const again = valueAt(json, fields) !== undefined || (texts.length > 1 && last.fieldKind !== "list");
  if (again) return { field, description: "is given more than once" };
  const value = textToJson(last, texts);
  if (value === undefined) return { field, description: expected(last) };
  return place(json, fields, value) ? undefined : { field, description: "can't be a parameter" };
}

/** What the body gives, as the JSON of the whole request. */
function bodyJson(route: Route, body: JsonValue | undefined): JsonObject {
  // JSON's null is a body, and no object.
  const given = body === undefined ? {} : body;
  const takesObject = route.body === undefined || route.body === "whole" || route.body.fieldKind === "message";
  if (takesObject && !isObject(given)) {
    throw new BadRequestError([{ field: "", description: "the body must be a JSON object" }]);
  }
  if (route.body !== undefined && route.body !== "whole") {
    return { [route.body.jsonName]: isObject(given) ? { ...given } : given };
  }
  const json = isObject(given) ? { ...given } : {};
  if (route.body === undefined && Object.keys(json).length > 0) {
    throw new BadRequestError(
      Object.keys(json).map((field) => ({ field, description: "there is no such field: this route takes no body" })),
    );
  }
  return json;
}

function isInBody(route: Route, fields: readonly DescField[]): boolean {
  return route.body === "whole" || (route.body !== undefined && fields[0] === route.body);
}

function textValue(fields: readonly DescField[], texts: readonly string[]): JsonValue | undefined {
  const last = fields.at(-1);
  return last === undefined ? undefined : textToJson(last, texts);
}

/** A field's value under either of its names. */
function valueAt(json: JsonObject, fields: readonly DescField[]): JsonValue | undefined {
  let at: JsonValue | undefined = json;
  for (const field of fields) at = isObject(at) ? (at[field.jsonName] ?? at[field.name]) : undefined;
  return at;
}

/** Sets a field under its JSON name, and makes the objects on the way; false when something else stands there. */
function place(json: JsonObject, fields: readonly DescField[], value: JsonValue): boolean {
  let at = json;
  for (const field of fields.slice(0, -1)) {
    const next = at[field.jsonName] ?? {};
    if (!isObject(next)) return false;
    at[field.jsonName] = next;
    at = next;
  }
  const last = fields.at(-1);
  if (last === undefined) return false;
  delete at[last.name];
  at[last.jsonName] = value;
  return true;
}

/** protobuf's own reading; when it refuses, each field that it refuses. */
function read(route: Route, json: JsonObject, faults: readonly FieldFault[]): Message {
  const unread = (): readonly FieldFault[] =>
    jsonFaults(route.method.input, json).map(({ field, description }) => ({
      field: restSpelling(route, field),
      description,
    }));
  if (faults.length > 0) {
    const named = new Set(faults.map(({ field }) => field));
    throw new BadRequestError([...faults, ...unread().filter(({ field }) => !named.has(field))]);
  }
  try {
    return fromJson(route.method.input, json);
  } catch (error) {
    const found = unread();
    // What no field alone is to blame for, such as two fields of one oneof.
    throw new BadRequestError(found.length > 0 ? found : [{ field: "", description: String(error) }]);
  }
}
