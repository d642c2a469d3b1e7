import fc from "fast-check";
import { expect, it } from "vitest";
import { HeaderDecoder } from "./header-decoder.ts";
import { HeaderEncoder } from "./header-encoder.ts";
import { huffmanLength, readHuffman, writeHuffman } from "./huffman.ts";
import { staticFields } from "./static-table.ts";

const unlimited = { maxListBytes: 1 << 24, maxFields: 10_000 };

function encode(encoder: HeaderEncoder, fields: readonly string[]): Buffer {
  const target = Buffer.alloc(encoder.bound(fields));
  return target.subarray(0, encoder.encode(fields, target, 0));
}

const text = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength }).map((octets) => String.fromCharCode(...octets));

it("any string comes back from Huffman code, in as many octets as was said", () => {
  fc.assert(
    fc.property(text(200), (written) => {
      const length = huffmanLength(written);
      const target = Buffer.alloc(length);
      expect(writeHuffman(target, 0, written)).toBe(length);
      expect(readHuffman(target, 0, length)).toBe(written);
    }),
  );
});

const names = fc.constantFrom(
  "x-a",
  "x-b",
  "x-c",
  "traceparent",
  "authorization",
  ...staticFields.map(([name]) => name),
);
const values = fc.oneof(fc.constantFrom("", "1", "2", "GET", "200", "v".repeat(1_500)), text(40));
const block = fc.array(fc.tuple(names, values), { maxLength: 12 }).map((fields) => fields.flat());
const step = fc.oneof(
  { weight: 8, arbitrary: block.map((fields) => ({ fields })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 5_000 }).map((tableSize) => ({ tableSize })) },
);

it("any header lists come back, through tables that overflow, shrink and grow", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const encoder = new HeaderEncoder();
      const decoder = new HeaderDecoder(unlimited);
      for (const next of steps) {
        if ("tableSize" in next) {
          encoder.allowTableSize(next.tableSize);
          decoder.allowTableSize(next.tableSize);
        } else {
          expect(decoder.decode(encode(encoder, next.fields)).fields).toEqual(next.fields);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

it("whatever octets come, a block is a list of fields or a CompressionError", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HeaderDecoder(unlimited);
      try {
        for (const octets of blocks) decoder.decode(octets);
      } catch (error) {
        expect(error).toMatchObject({ name: "CompressionError" });
      }
    }),
    { numRuns: 5_000 },
  );
});

it("what comes again costs an octet, what is new each time is not kept, and secrets never are", () => {
  const encoder = new HeaderEncoder(["x-token"]);
  const fields = [":path", "/shop.user.v1.UserService/GetUser", "content-type", "application/grpc"];
  encode(encoder, fields);
  expect(encode(encoder, fields)).toHaveLength(2);
  for (let n = 0; n < 10; n++) encode(encoder, ["traceparent", `00-${n}`]);
  expect(encode(encoder, ["traceparent", "00-new"]).toString("latin1")).toMatch(/00-new$/);
  expect(encode(encoder, fields)).toHaveLength(2);
  for (const name of ["authorization", "x-token"]) {
    const [first, second] = [encode(encoder, [name, "secret"]), encode(encoder, [name, "secret"])];
    expect(second).toEqual(first);
    expect((first[0] as number) & 0xf0).toBe(0x10);
  }
});

it("values that take turns enter the table after all, though many are new at first", () => {
  const encoder = new HeaderEncoder();
  const paths = Array.from({ length: 20 }, (_, n) => [":path", `/shop.user.v1.UserService/Method${n}`]);
  const octets = () => Math.max(...paths.map((fields) => encode(encoder, fields).length));
  for (let turn = 0; turn < 8; turn++) octets();
  expect(octets()).toBe(1);
});

it("a list that never changes is remembered as octets until the table changes", () => {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder(unlimited);
  const fields = Object.freeze([":status", "200", "content-type", "application/grpc", "server", "weft"]);
  const read = () => {
    const target = Buffer.alloc(encoder.bound(fields));
    const end = encoder.encodeSame(fields, target, 0);
    expect(decoder.decode(target, 0, end).fields).toEqual(fields);
    return end;
  };
  read();
  expect([read(), read()]).toEqual([3, 3]);
  decoder.decode(encode(encoder, ["x-other", "value"]));
  expect(read()).toBe(3);
  encoder.allowTableSize(0);
  decoder.allowTableSize(0);
  read();
  expect(read()).toBeGreaterThan(3);
  encoder.allowTableSize(4_096);
  decoder.allowTableSize(4_096);
  read();
  expect(read()).toBe(3);
});
