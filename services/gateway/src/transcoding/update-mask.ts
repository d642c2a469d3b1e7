import { type DescField, getOption, hasOption, type JsonObject } from "@bufbuild/protobuf";
import { field as fieldRules } from "@weft/contracts";
import type { FieldFault } from "./faults.ts";
import { fieldNamed } from "./field-path.ts";
import { isObject } from "./json-faults.ts";
import type { Route } from "./routes.ts";

/**
 * Gives a PATCH that names no mask the mask that it means: the fields of its body, but for those that the path gives
 * (https://google.aip.dev/134). Leaves `json`, the whole request, alone where the caller named one or the contract has none.
 * The faults are the fields that the contract's rule for masks doesn't take: told here, since the service would blame a
 * mask that the caller never sent.
 */
export function addMask(route: Route, json: JsonObject): readonly FieldFault[] {
  if (route.httpMethod !== "PATCH" || route.body === undefined || route.body === "whole") return [];
  const resource = route.body.fieldKind === "message" ? route.body.message : undefined;
  const mask = route.method.input.fields.find(
    (field) => field.fieldKind === "message" && field.message.typeName === "google.protobuf.FieldMask",
  );
  if (resource === undefined || mask === undefined || (json[mask.jsonName] ?? "") !== "") return [];
  const inPath = new Set(route.template.variables.map(({ field }) => field));
  const prefix = route.body.name;
  const body = json[route.body.jsonName];
  const inBody = Object.keys(isObject(body) ? body : {}).map((key) => ({ key, field: fieldNamed(resource, key) }));
  const known = inBody.flatMap(({ key, field }) => (field === undefined ? [] : [{ key, field }]));
  // An unknown field is refused by its name, when the body is read.
  if (known.length < inBody.length) return [];
  const named = known.filter(({ field }) => !inPath.has(`${prefix}.${field.name}`));
  // An empty mask would mean every field: what PUT does, and never what an empty PATCH means.
  if (named.length === 0) return [{ field: "", description: "the body names no field to change" }];
  const fixed = named.filter(({ field }) => !takes(mask, field.name));
  if (fixed.length > 0) return fixed.map(({ key }) => ({ field: key, description: "can't be changed" }));
  json[mask.jsonName] = [...new Set(named.map(({ field }) => field.jsonName))].join(",");
  return [];
}

/** Whether the contract's rule for a mask lets it name a field. */
function takes(mask: DescField, name: string): boolean {
  const rules = hasOption(mask, fieldRules) ? getOption(mask, fieldRules).type : undefined;
  if (rules?.case !== "fieldMask") return true;
  const { in: allowed, notIn: denied } = rules.value;
  return (allowed.length === 0 || allowed.includes(name)) && !denied.includes(name);
}
