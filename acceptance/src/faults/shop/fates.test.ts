import { expect, it } from "vitest";
import { drawFates, fates } from "./fates.ts";

it("gives each fate its share of a hundred orders", () => {
  const counts = Map.groupBy(drawFates(100), ({ name }) => name);
  expect(fates.map(({ name }) => counts.get(name)?.length)).toEqual(fates.map(({ share }) => share));
});

it("mixes them evenly: each has come before sixty orders are placed", () => {
  expect(new Set(drawFates(60)).size).toBe(fates.length);
});
