import type { JsonObject } from "@bufbuild/protobuf";
import { BadRequestError } from "./faults.ts";
import { fieldNamed } from "./field-path.ts";
import { isObject } from "./json-faults.ts";
import type { Route } from "./routes.ts";

/**
 * Gives a PATCH that names no mask the mask that it means: the fields of its body, but for those that the path gives
 * (https://google.aip.dev/134). Leaves `json`, the whole request, alone where the caller named one or the contract has none.
 */
export function addMask(route: Route, json: JsonObject): void {
  if (route.httpMethod !== "PATCH" || route.body === undefined || route.body === "whole") return;
  const resource = route.body.fieldKind === "message" ? route.body.message : undefined;
  const mask = route.method.input.fields.find(
    (field) => field.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask",
  );
  if (resource === undefined || mask === undefined || (json[mask.jsonName] ?? "") !== "") return;
  const inPath = new Set(route.template.variables.map(({ field }) => field));
  const prefix = route.body.name;
  const body = json[route.body.jsonName];
  const fields = Object.keys(isObject(body) ? body : {}).map((key) => fieldNamed(resource, key));
  const known = fields.filter((field) => field !== undefined);
  // An unknown field is refused by its name, when the body is read.
  if (known.length < fields.length) return;
  const named = known.filter((field) => !inPath.has(`${prefix}.${field.name}`));
  // An empty mask would mean every field: what PUT does, and never what an empty PATCH means.
  if (named.length === 0) throw new BadRequestError([{ field: "", description: "the body names no field to change" }]);
  json[mask.jsonName] = [...new Set(named.map(({ jsonName }) => jsonName))].join(",");
}
