import {
  clone,
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_descriptor,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodePlain } from "./encoder.ts";

const type = FieldDescriptorProto_Type;
const kinds = [
  type.STRING,
  type.BYTES,
  type.BOOL,
  type.INT32,
  type.UINT32,
  type.INT64,
  type.UINT64,
  type.DOUBLE,
] as const;
const [singularFrom, optionalFrom, listFrom, oneofFrom] = [1, 101, 2001, 300_001];

/** A message of every kind of field that there is a fast way for, which contains itself. */
function everything(): DescMessage {
  const field = kinds.flatMap((each, i) => [
    { name: `s${i}`, number: singularFrom + i, type: each, label: FieldDescriptorProto_Label.OPTIONAL },
    {
      name: `p${i}`,
      number: optionalFrom + i,
      type: each,
      label: FieldDescriptorProto_Label.OPTIONAL,
      proto3Optional: true,
      oneofIndex: 1 + i,
    },
    { name: `l${i}`, number: listFrom + i, type: each, label: FieldDescriptorProto_Label.REPEATED },
    { name: `o${i}`, number: oneofFrom + i, type: each, label: FieldDescriptorProto_Label.OPTIONAL, oneofIndex: 0 },
  ]);
  const self = { type: type.MESSAGE, typeName: ".weft.test.Everything" };
  const registry = createFileRegistry(
    create(FileDescriptorProtoSchema, {
      name: "weft/test/everything.proto",
      package: "weft.test",
      syntax: "proto3",
      messageType: [
        {
          name: "Everything",
          field: [
            ...field,
            { name: "child", number: 50, label: FieldDescriptorProto_Label.OPTIONAL, ...self },
            { name: "children", number: 51, label: FieldDescriptorProto_Label.REPEATED, ...self },
            { name: "chosen", number: 52, label: FieldDescriptorProto_Label.OPTIONAL, oneofIndex: 0, ...self },
          ],
          oneofDecl: [{ name: "choice" }, ...kinds.map((_, i) => ({ name: `_p${i}` }))],
        },
      ],
    }),
    () => undefined,
  );
  return registry.getMessage("weft.test.Everything") as DescMessage;
}

const Everything = everything();

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ maxLength: 40 }),
  fc.constant("\uD800 alone"),
);
const values: readonly fc.Arbitrary<unknown>[] = [
  text,
  fc.uint8Array({ maxLength: 300 }),
  fc.boolean(),
  fc.integer(),
  fc.nat({ max: 0xffff_ffff }).map((n) => n >>> 0),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.double(),
];

const { init } = fc.letrec<{ init: Record<string, unknown>; deeper: Record<string, unknown> }>((tie) => {
  const some = Object.fromEntries(
    values.flatMap((value, i) => [
      [`s${i}`, value],
      [`p${i}`, value],
      [`l${i}`, fc.array(value, { maxLength: 4 })],
    ]),
  );
  const choice = fc.oneof(
    ...values.map((value, i) => fc.record({ case: fc.constant(`o${i}`), value })),
    fc.record({ case: fc.constant("chosen"), value: tie("deeper") }),
  );
  return {
    init: fc.record(
      { ...some, choice, child: tie("deeper"), children: fc.array(tie("deeper"), { maxLength: 3 }) },
      { requiredKeys: [] },
    ),
    deeper: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant({}),
      fc.record(some, { requiredKeys: [] }),
      tie("init"),
    ),
  };
});

function library(schema: DescMessage, of: object): Uint8Array {
  return toBinary(schema, create(schema, of as MessageInitShape<DescMessage>));
}

describe("a message that is plain", () => {
  it("is encoded as the library encodes it, from the message and from what it is to be made of", () => {
    fc.assert(
      fc.property(init, (each) => {
        const expected = Buffer.from(library(Everything, each)).toString("hex");
        const message = create(Everything, each as MessageInitShape<DescMessage>);
        expect(Buffer.from(encodePlain(Everything, each) ?? []).toString("hex")).toBe(expected);
        expect(Buffer.from(encodePlain(Everything, message) ?? []).toString("hex")).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  it("stays as it was when others are encoded behind it", () => {
    const long = "x".repeat(100_000);
    const kept = [1, 2, 3].map((n) => encodePlain(Everything, { s0: `message ${n}`, children: [{ s0: long }] }));
    for (let i = 0; i < 5_000; i++) encodePlain(Everything, { s0: "another" });
    kept.forEach((bytes, i) => {
      const message = fromBinary(Everything, bytes as Uint8Array) as unknown as { s0: string };
      expect(message.s0).toBe(`message ${i + 1}`);
    });
  });

  it("keeps fields that nobody knows", () => {
    const known = create(Everything, { s0: "known" } as MessageInitShape<DescMessage>);
    const bytes = Buffer.concat([toBinary(Everything, known), Buffer.from("f8ffff0701", "hex")]);
    const message = fromBinary(Everything, bytes);
    expect(message.$unknown).toHaveLength(1);
    expect(Buffer.from(encodePlain(Everything, message) ?? [])).toEqual(bytes);
  });

  it("of proto2 says what is set, and not what is so by default", () => {
    for (const file of [file_google_protobuf_descriptor, file_google_protobuf_struct, file_google_protobuf_wrappers]) {
      for (const { proto } of file.messages) {
        const message = clone(DescriptorProtoSchema, proto);
        const expected = toBinary(DescriptorProtoSchema, message);
        const bytes = encodePlain(DescriptorProtoSchema, message);
        expect(Buffer.from(bytes ?? [])).toEqual(Buffer.from(expected));
      }
    }
  });
});

describe("the library encodes", () => {
  it.each([
    ["a value of another type", { s3: "7" }],
    ["an integer that is out of range", { s3: 2 ** 31 }],
    ["one that is none", { s4: 1.5 }],
    ["a bigint above 64 bits", { s6: 2n ** 64n }],
    ["a number where a bigint belongs", { s5: 5 }],
    ["null", { child: null }],
    ["a list that is none", { l0: "text" }],
    ["a message of another type", { child: create(ValueSchema) }],
  ])("%s", (_, of) => {
    expect(encodePlain(Everything, of)).toBeUndefined();
    expect(Buffer.from(encodePlain(Everything, { s0: "next" }) ?? [])).toEqual(
      Buffer.from(library(Everything, { s0: "next" })),
    );
  });

  it("maps, and messages that may hold one", () => {
    expect(encodePlain(ValueSchema, create(ValueSchema))).toBeUndefined();
  });

  it("a message that is made while another one is", () => {
    const outer = {
      get s0() {
        return String(encodePlain(Everything, { s0: "inner" }));
      },
    };
    expect(Buffer.from(encodePlain(Everything, outer) ?? [])).toEqual(
      Buffer.from(library(Everything, { s0: "undefined" })),
    );
  });
});
