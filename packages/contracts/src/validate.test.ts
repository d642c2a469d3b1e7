import type { DescEnum, DescExtension, DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { file_buf_validate_validate as original } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { describe, expect, it } from "vitest";
import { file_buf_validate_validate as subset } from "./gen/buf/validate/validate_pb.ts";

/** proto/buf/validate/validate.proto is ours: no package has the original's source. What it has must be the same on the wire. */
describe("the subset of buf.validate that contracts use", () => {
  const known = new Map(factsOf(original));
  const facts = [...factsOf(subset)];

  it("has rules at all", () => {
    expect(facts.length).toBeGreaterThan(30);
  });

  it.each(facts)("has %s as protovalidate has it", (name, fact) => {
    expect(fact).toEqual(known.get(name));
  });
});

/** What can be told apart on the wire and in options: every field's and enum value's number, type and name. */
function* factsOf(file: DescFile): Iterable<[name: string, fact: object]> {
  for (const desc of nestedTypes(file)) {
    if (desc.kind === "message")
      for (const field of desc.fields) yield [`${desc.typeName}.${field.name}`, factOf(field)];
    if (desc.kind === "enum")
      for (const { name, number } of desc.values) yield [`${desc.typeName}.${name}`, { number }];
    if (desc.kind === "extension") yield [desc.typeName, { ...factOf(desc), extends: desc.extendee.typeName }];
  }
}

function factOf(field: DescField | DescExtension): object {
  const { number, type, label, typeName } = field.proto;
  const repeated = label === 3;
  return { number, type, repeated, typeName, oneof: field.oneof?.name, references: referenceOf(field)?.typeName };
}

function referenceOf(field: DescField | DescExtension): DescMessage | DescEnum | undefined {
  return field.message ?? field.enum;
}
