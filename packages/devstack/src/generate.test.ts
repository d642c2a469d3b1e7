import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { generatedFolders, generateIfChanged } from "./generate.ts";
import type { Run } from "./process/programs.ts";
import { createWorkspace } from "./workspace.fixture.ts";

const { root } = createWorkspace({
  "buf.gen.yaml":
    "plugins:\n  - local: a\n    out: packages/made/src/gen\n  - local: b\n    out: packages/made/src/gen\n",
  "proto/a.proto": 'syntax = "proto3";',
  "packages/codegen/src/index.ts": "",
});
let runs = 0;
let code = 0;
const buf: Run = async () => {
  runs += 1;
  return { code, stdout: "", stderr: "proto/a.proto:1:1: wrong" };
};
const generate = () => generateIfChanged(root, {}, () => {}, buf);

beforeEach(async () => {
  code = 0;
  await generate();
  runs = 0;
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("generating", () => {
  it("knows the folders from buf.gen.yaml, each once", () => {
    expect(generatedFolders(root)).toEqual(["packages/made/src/gen"]);
  });

  it("is left out while nothing changed, however often files are touched", async () => {
    writeFileSync(join(root, "proto/a.proto"), readFileSync(join(root, "proto/a.proto")));
    expect(await generate()).toBe(false);
    expect(runs).toBe(0);
  });

  it.each(["proto/a.proto", "packages/codegen/src/index.ts"])("is done again when %s changed", async (file) => {
    appendFileSync(join(root, file), "\n// more");
    expect(await generate()).toBe(true);
  });

  it("is done again when its output is gone", async () => {
    rmSync(join(root, "packages/made"), { recursive: true });
    expect(await generate()).toBe(true);
  });

  it("that fails says what buf said, and is tried again the next time", async () => {
    appendFileSync(join(root, "proto/a.proto"), "\n// broken");
    code = 1;
    await expect(generate()).rejects.toThrow("buf generate failed:\nproto/a.proto:1:1: wrong");
    code = 0;
    expect(await generate()).toBe(true);
  });
});
