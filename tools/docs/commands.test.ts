import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { commandOf } from "./commands.ts";

const root = resolve(import.meta.dirname, "../..");

describe("a shell block", () => {
  it("starts the stack where it says `npm run dev`, or a part of it", () => {
    expect(commandOf(root, "npm run dev\n")).toEqual({ kind: "dev", services: undefined });
    expect(commandOf(root, "npm run dev -- --only=user,gateway\n")).toEqual({
      kind: "dev",
      services: ["user", "gateway"],
    });
  });

  it.each([
    "npm test",
    "npm run dev:reset",
    "npm run test:faults",
    "npm run bench -- dev --json",
    "npm run bench -- events",
    "npm run bench -- mesh",
  ])("that is `%s` is run elsewhere, and still is", (command) => {
    expect(commandOf(root, `${command}\n`)).toEqual({ kind: "elsewhere" });
  });

  it("is a script in any other case, also when it begins with such a command", () => {
    expect(commandOf(root, "npm test -- packages/store\n")).toEqual({ kind: "script" });
    expect(commandOf(root, "npm test\ncurl 127.0.0.1\n")).toEqual({ kind: "script" });
  });
});
