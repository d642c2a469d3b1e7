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
  const faults: FieldFault[] = [];
  const json = bodyJson(route, request.body);
  const fault = (field: string, description: string): void => {
    faults.push({ field: restSpelling(route, field), description });
  };
  const fromPath = new Set<string>();
  for (const [path, text] of request.captures) {
    const fields = fieldsAlong(route.method.input, path) ?? [];
    const name = jsonPath(fields);
    fromPath.add(name);
    const value = textValue(fields, [text]);
    const given = valueAt(json, fields);
    if (given !== undefined && given !== null && String(given) !== text) fault(name, "differs from the path's");
    if (value === undefined || !place(json, fields, value)) fault(name, "can't come from the path");
  }
  for (const key of new Set(request.query.keys())) {
    const fields = fieldsAlong(route.method.input, key);
    const name = fields === undefined ? key : jsonPath(fields);
    const texts = request.query.getAll(key);
    if (fields === undefined || isBodyField(route, fields)) {
      faults.push({ field: key, description: "there is no such parameter" });
    };
    else if (fromPath.has(name)) fault(name, "is in the path already");
    else if (texts.length > 1 && fields.at(-1)?.fieldKind !== "list") fault(name, "is given more than once");
    else {
      const value = textValue(fields, texts);
      if (value === undefined) fault(name, expected(fields.at(-1) as DescField));
      else if (valueAt(json, fields) !== undefined) fault(name, "is given more than once");
      else if (!place(json, fields, value)) fault(name, "can't be a parameter");
    }
  }
  if (faults.length === 0) addMask(route, json);
  return read(route, json, faults);
}

/** What the body gives, as the JSON of the whole request. */
function bodyJson(route: Route, body: JsonValue | undefined): JsonObject {
  const given = body ?? {};
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

function isBodyField(route: Route, fields: readonly DescField[]): boolean {
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
  if (faults.length > 0) throw new BadRequestError([...faults, ...unread()]);
  try {
    return fromJson(route.method.input, json);
  } catch (error) {
    const found = unread();
    // What no field alone is to blame for, such as two fields of one oneof.
    throw new BadRequestError(found.length > 0 ? found : [{ field: "", description: String(error) }]);
  }
}
