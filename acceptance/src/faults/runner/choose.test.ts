import { expect, it } from "vitest";
import { chooseRows } from "./choose.ts";

const rows = ["a", "b", "c"].map((name) => ({ name, claim: "", minutes: 1, run: async () => {} }));
const names = (only: string | undefined) => chooseRows(rows, only).map(({ name }) => name);

it("chooses all rows when none is named", () => expect(names(undefined)).toEqual(["a", "b", "c"]));

it("chooses those that are named, in their own order", () => expect(names("c, a")).toEqual(["a", "c"]));

it("says what there is when a name is none of them", () => {
  expect(() => chooseRows(rows, "a,z")).toThrow('There is no row "z": a, b, c are.');
});
