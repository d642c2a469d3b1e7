import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

const scalars: Readonly<Record<ScalarType, string>> = {
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
  [ScalarType.INT64]: "a whole number of 64 bits",
  [ScalarType.UINT64]: "a whole number of 64 bits that is not negative",
  [ScalarType.INT32]: "a whole number of 32 bits",
  [ScalarType.FIXED64]: "a whole number of 64 bits that is not negative",
  [ScalarType.FIXED32]: "a whole number of 32 bits that is not negative",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.STRING]: "a string",
  [ScalarType.BYTES]: "a base64 string",
  [ScalarType.UINT32]: "a whole number of 32 bits that is not negative",
  [ScalarType.SFIXED32]: "a whole number of 32 bits",
  [ScalarType.SFIXED64]: "a whole number of 64 bits",
  [ScalarType.SINT32]: "a whole number of 32 bits",
  [ScalarType.SINT64]: "a whole number of 64 bits",
};

const wellKnown: Readonly<Record<string, string>> = {
  "google.protobuf.Timestamp": 'an RFC 3339 time, such as "2026-01-31T12:00:00Z"',
  "google.protobuf.Duration": 'a number of seconds with an s, such as "1.5s"',
  "google.protobuf.FieldMask": 'field names with commas between, such as "email,name"',
};

/** What a field's value must be in JSON, in words: "must be …". */
export function expected(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return `must be ${scalars[field.scalar]}`;
    case "enum":
      return `must be ${oneOf(field.enum)}`;
    case "message":
      return `must be ${shapeOf(field.message)}`;
    case "list":
      return "must be a list";
    case "map":
      return "must be an object";
  }
}

/** The same for one item of a list. */
export function expectedItem(field: DescField & { readonly fieldKind: "list" }): string {
  switch (field.listKind) {
    case "scalar":
      return `must be ${scalars[field.scalar]}`;
    case "enum":
      return `must be ${oneOf(field.enum)}`;
    case "message":
      return `must be ${shapeOf(field.message)}`;
  }
}

function oneOf(type: DescEnum): string {
  return `one of ${type.values.map(({ name }) => name).join(", ")}`;
}

function shapeOf(message: DescMessage): string {
  const wrapped = message.typeName.endsWith("Value") ? message.fields[0] : undefined;
  if (wrapped?.fieldKind === "scalar") return scalars[wrapped.scalar];
  return wellKnown[message.typeName] ?? "an object";
}
