import { expect, it } from "vitest";
import { CompressionError } from "./compression-error.ts";
import { HeaderDecoder } from "./header-decoder.ts";
import { writeHuffman } from "./huffman.ts";

const limits = { maxListBytes: 16_384, maxFields: 100 };
const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decode = (hex: string) => new HeaderDecoder(limits).decode(octets(hex));

it.each([
  ["an index of 0", "80", "there is no field 0"],
  ["an index beyond the table", "be", "there is no field 62"],
  ["a name's index beyond the table", "7f 00 01 61", "there is no field 63"],
  ["an integer that never ends", "ff 80 80 80 80 80 80 80 80 80 01", "too large"],
  ["an integer above what a length may be", "ff ff ff ff ff 7f", "too large"],
  ["a block that ends within an integer", "ff 80", "ends in the middle of a field"],
  ["a block that ends within a name", "40 05 61 62", "ends in the middle of a string"],
  ["a block that ends before the value", "40 01 61", "ends in the middle of a field"],
  ["the end-of-string symbol within a string", "40 01 61 84 ff ff ff ff", "end-of-string"],
  ["Huffman code padded with zeros", "40 01 61 81 18", "padded with ones"],
  ["Huffman code padded with an octet too many", "40 01 61 82 1f ff", "padded with ones"],
  ["a table larger than allowed", "3f e2 1f", "larger than the 4096 allowed"],
  ["another size of the table after a field", "82 20", "after the first field"],
])("%s ends the connection", (_, hex, message) => {
  expect(() => decode(hex)).toThrow(CompressionError);
  expect(() => decode(hex)).toThrow(message);
});

it("a table that had to shrink and didn't ends the connection", () => {
  const decoder = new HeaderDecoder(limits);
  decoder.allowTableSize(0);
  expect(() => decoder.decode(octets("82"))).toThrow("was not made smaller");
});

it("a table that shrinks in time goes on", () => {
  const decoder = new HeaderDecoder(limits);
  decoder.decode(octets("40 01 61 01 62"));
  decoder.allowTableSize(0);
  expect(decoder.decode(octets("20 82")).fields).toEqual([":method", "GET"]);
  expect(() => decoder.decode(octets("be"))).toThrow("there is no field 62");
});

it.each([
  ["an upper-case letter in a name", "a", "40 01 41 01 62", "a field name has a character"],
  ["a line feed in a value", "a", "40 01 61 03 620a63", "the value of a has a control character"],
  ["a zero in a value", "a", "40 01 61 03 620063", "the value of a has a control character"],
  ["a space before a value", "a", "40 01 61 02 2062", "or a space at an end"],
  ["a field of HTTP/1.1's connections", "upgrade", "40 07 75706772616465 01 61", "upgrade is a field of"],
  ["te with more than trailers", "te", "40 02 7465 04 677a6970", "te may say trailers only"],
])(
  "%s makes the message malformed, also when it comes from the table, and the table goes on",
  (_, name, hex, problem) => {
    const decoder = new HeaderDecoder(limits);
    expect(decoder.decode(octets(hex)).problem).toContain(problem);
    const again = decoder.decode(octets("82 be"));
    expect(again.problem).toContain(problem);
    expect(again.fields.slice(0, 2)).toEqual([":method", "GET"]);
    expect(again.fields[2]?.toLowerCase()).toBe(name);
  },
);

it("a small block that expands through the table is bounded, and the table goes on", () => {
  const decoder = new HeaderDecoder({ maxListBytes: 16_384, maxFields: 1_000 });
  const value = "v".repeat(4_000);
  const huffman = Buffer.alloc(4_000);
  const length = writeHuffman(huffman, 0, value);
  decoder.decode(
    Buffer.concat([
      octets("40 01 61 ff"),
      Buffer.from([((length - 127) & 0x7f) | 0x80, (length - 127) >> 7]),
      huffman.subarray(0, length),
    ]),
  );
  const bomb = decoder.decode(Buffer.alloc(16_384, 0xbe));
  expect(bomb.tooLarge).toBe(true);
  expect(bomb.fields).toHaveLength(8);
  expect(decoder.decode(octets("be")).fields).toEqual(["a", value]);
});

it("more fields than allowed are too large a list", () => {
  const many = new HeaderDecoder({ maxListBytes: 16_384, maxFields: 100 }).decode(Buffer.alloc(101, 0x82));
  expect(many.tooLarge).toBe(true);
  expect(many.fields).toHaveLength(200);
});

it("a field that is larger than the table empties it, also for blocks that were read before", () => {
  const decoder = new HeaderDecoder({ maxListBytes: 100_000, maxFields: 100 });
  decoder.decode(Buffer.from("4001780179", "hex"));
  const indexed = Buffer.from("be", "hex");
  expect(decoder.decode(indexed).fields).toEqual(["x", "y"]);
  expect(decoder.decode(indexed).fields).toEqual(["x", "y"]);
  // A value of 5,000 octets: 127 + 4,873.
  decoder.decode(Buffer.concat([Buffer.from("4001787f8926", "hex"), Buffer.alloc(5_000, "z")]));
  expect(() => decoder.decode(indexed)).toThrow(CompressionError);
});
