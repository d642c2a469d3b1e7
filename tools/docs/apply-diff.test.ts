import { describe, expect, it } from "vitest";
import { applyChange, parseDiff } from "./apply-diff.ts";

const content = "one\ntwo\n\nthree\ntwo\n";

function apply(...hunk: string[]): string {
  const [change] = parseDiff(["--- a.txt", "+++ a.txt", "@@", ...hunk, ""].join("\n"));
  if (change === undefined) return expect.fail("no change");
  return applyChange(change, content);
}

describe("a diff block", () => {
  it("adds lines where its context is", () => {
    expect(apply(" one", "+one and a half")).toBe("one\none and a half\ntwo\n\nthree\ntwo\n");
    expect(apply("+zero", " one")).toBe("zero\none\ntwo\n\nthree\ntwo\n");
  });

  it("takes lines away", () => {
    expect(apply(" three", "-two")).toBe("one\ntwo\n\nthree\n");
  });

  it("finds empty lines that lost their space", () => {
    expect(apply("", "+two and a half", " three")).toBe("one\ntwo\n\ntwo and a half\nthree\ntwo\n");
  });

  it("changes several places of several files", () => {
    const changes = parseDiff("--- a\n+++ a\n@@\n+0\n 1\n@@\n-2\n+3\n--- b\n+++ b\n@@\n 4\n+5\n");
    expect(changes.map(({ file }) => file)).toEqual(["a", "b"]);
    expect(applyChange(changes[0] as (typeof changes)[0], "1\n2\n")).toBe("0\n1\n3\n");
  });

  it.each([
    ["whose lines are gone", [" four", "+five"], "a.txt has no such lines:\nfour"],
    ["whose lines are there twice", [" two", "+five"], "a.txt has these lines 2 times"],
    ["that doesn't say where", ["+five"], "a hunk for a.txt has no line that says where it belongs"],
  ])("%s is refused", (_, hunk, message) => {
    expect(() => apply(...hunk)).toThrow(message);
  });

  it.each([
    ["names no file", "+one", "a diff begins with --- and +++"],
    ["has a change before its first hunk", "+++ a\n+one", "a hunk begins with @@"],
  ])("that %s is refused", (_, text, message) => {
    expect(() => parseDiff(text)).toThrow(message);
  });
});
