import type { DescField, DescMessage } from "@bufbuild/protobuf";

/** The field of a message under its contract's name or its JSON name. */
export function fieldNamed(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.jsonName === name || field.name === name);
}

/** The fields that a dotted path such as "user.id" or "user.createdAt" goes through; undefined when there is no such field. */
export function fieldsAlong(message: DescMessage, path: string): readonly DescField[] | undefined {
  const fields: DescField[] = [];
  let at: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    const field: DescField | undefined = at === undefined ? undefined : fieldNamed(at, name);
    if (field === undefined) return undefined;
    fields.push(field);
    at = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields;
}

/** "user.createdAt": how a path is spelled in JSON. */
export function jsonPath(fields: readonly DescField[]): string {
  return fields.map((field) => field.jsonName).join(".");
}
