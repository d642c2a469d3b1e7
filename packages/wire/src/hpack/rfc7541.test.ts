import { describe, expect, it } from "vitest";
import { HeaderDecoder } from "./header-decoder.ts";
import { HeaderEncoder } from "./header-encoder.ts";
import { type Cursor, readInteger, writeInteger } from "./integer.ts";

// The examples of RFC 7541 appendix C.

const limits = { maxListBytes: 16_384, maxFields: 100 };
const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const flat = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();

describe("integers", () => {
  it.each([
    [10, 5, "0a"],
    [1_337, 5, "1f9a0a"],
    [42, 8, "2a"],
  ])("%i with a prefix of %i bits", (value, prefix, hex) => {
    const target = Buffer.alloc(6);
    expect(target.subarray(0, writeInteger(target, 0, 0, prefix, value)).toString("hex")).toBe(hex);
    const cursor: Cursor = { bytes: octets(hex), at: 0, end: hex.length / 2 };
    expect(readInteger(cursor, prefix)).toBe(value);
    expect(cursor.at).toBe(cursor.end);
  });
});

describe("fields", () => {
  it.each([
    [
      "a literal that enters the table",
      "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
      "custom-key",
      "custom-header",
    ],
    ["a literal without indexing", "040c2f73616d706c652f70617468", ":path", "/sample/path"],
    ["a literal that is never indexed", "100870617373776f726406736563726574", "password", "secret"],
    ["an indexed field", "82", ":method", "GET"],
  ])("%s", (_, hex, name, value) => {
    expect(new HeaderDecoder(limits).decode(octets(hex)).fields).toEqual([name, value]);
  });
});

const requests = [
  { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com" },
  { ":method": "GET", ":scheme": "http", ":path": "/", ":authority": "www.example.com", "cache-control": "no-cache" },
  {
    ":method": "GET",
    ":scheme": "https",
    ":path": "/index.html",
    ":authority": "www.example.com",
    "custom-key": "custom-value",
  },
].map(flat);
const requestsInHuffmanCode = [
  "828684418cf1e3c2e5f23a6ba0ab90f4ff",
  "828684be5886a8eb10649cbf",
  "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
];

const [first, second] = ["Mon, 21 Oct 2013 20:13:21 GMT", "Mon, 21 Oct 2013 20:13:22 GMT"];
const location = "https://www.example.com";
const cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const responses = [
  { ":status": "302", "cache-control": "private", date: first, location },
  { ":status": "307", "cache-control": "private", date: first, location },
  {
    ":status": "200",
    "cache-control": "private",
    date: second,
    location,
    "content-encoding": "gzip",
    "set-cookie": cookie,
  },
].map(flat);

describe("blocks one after the other", () => {
  it.each([
    [
      "requests without Huffman code",
      4_096,
      requests,
      [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ],
    ],
    ["requests in Huffman code", 4_096, requests, requestsInHuffmanCode],
    [
      "responses without Huffman code, in a table of 256 octets",
      256,
      responses,
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
      ],
    ],
    [
      "responses in Huffman code, in a table of 256 octets",
      256,
      responses,
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      ],
    ],
  ])("%s", (_, tableSize, lists, blocks) => {
    const decoder = new HeaderDecoder(limits, tableSize);
    for (const [i, block] of blocks.entries()) expect(decoder.decode(octets(block)).fields).toEqual(lists[i]);
  });

  it("requests are encoded as in the example", () => {
    const encoder = new HeaderEncoder();
    for (const [i, fields] of requests.entries()) {
      const target = Buffer.alloc(encoder.bound(fields));
      const end = encoder.encode(fields, target, 0);
      expect(target.subarray(0, end).toString("hex")).toBe(requestsInHuffmanCode[i]);
    }
  });
});
