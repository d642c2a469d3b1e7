import { expect, it } from "vitest";
import { hash } from "./hash.ts";

it.each([
  ["", 0, 0],
  ["", 1, 0x514e28b7],
  ["", 0xffffffff, 0x81f16f39],
  ["\uffff\uffff", 0, 0x76293b50],
  ["\u4321\u8765", 0, 0xf55b516b],
  ["\u4321\u8765", 0x5082edee, 0x2362f9de],
  ["\u4321", 0, 0xa0f7b07a],
  ["\0\0", 0, 0x2362f9de],
  ["\0", 0, 0x30f4c306],
])("MurmurHash3 of %j with seed %i is as published for its bytes", (text, seed, expected) => {
  expect(hash(text, seed)).toBe(expected);
});

it("spreads keys that differ in a digit evenly", () => {
  const buckets = new Uint32Array(64);
  for (let i = 0; i < 64_000; i++) buckets[hash(`user-${i}`) >>> 26] = (buckets[hash(`user-${i}`) >>> 26] ?? 0) + 1;
  // Chi squared with 63 degrees of freedom: above 103 once in a thousand.
  expect(buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)).toBeLessThan(103);
});
