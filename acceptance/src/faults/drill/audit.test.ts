import { expect, it } from "vitest";
import { auditDrill } from "./audit.ts";

const wish = (attempt: string, key: string, seq: number) => ({ attempt, key, key_seq: String(seq) });
const granted = [wish("a", "ada", 1), wish("b", "ada", 2), wish("c", "bob", 1)];
const [a, b, c] = granted as [(typeof granted)[0], (typeof granted)[0], (typeof granted)[0]];

const right = { lost: 0, doubled: 0, disordered: 0, unfounded: 0 };

it.each([
  ["nothing is wrong where each event has its effect, in order for each key", [c, a, b], {}],
  ["an event without an effect is lost", [a, b], { lost: 1 }],
  ["a second effect of an event is doubled", [a, b, c, c], { doubled: 1 }],
  ["an effect after a later one of its key is disordered", [b, a, c], { disordered: 1 }],
  ["an effect of what was rolled back is unfounded", [a, b, c, wish("x", "bob", 2)], { unfounded: 1 }],
  ["an effect under another number is unfounded", [a, { ...b, key_seq: "3" }, c], { unfounded: 1 }],
])("%s", (_, effects, wrong) => {
  expect(auditDrill({ granted, effects })).toEqual({ ...right, ...wrong });
});
