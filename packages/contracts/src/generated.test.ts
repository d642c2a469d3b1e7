import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { copyContracts, root } from "./testing/workspace.ts";

const generated = "packages/contracts/src/gen";

it("The generated code that is committed is what the contracts generate", () => {
  const contracts = copyContracts();
  try {
    expect(contracts.buf("generate", "--template", "packages/contracts/buf.gen.yaml")).toEqual({ code: 0, output: "" });
    expect(filesIn(join(root, generated))).toEqual(filesIn(join(contracts.folder, generated)));
  } finally {
    contracts.remove();
  }
});

function filesIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}
