import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, BlockError } from "./block.ts";
import type { Outcome } from "./run-program.ts";

/** The folder in a copy that the blocks are type-checked in: it sees every workspace package. */
const folder = "docs-blocks";

/** Type-checks `ts` blocks, each a module of its own, as strictly as the repository; unused names are allowed, since examples have them. */
export async function checkTypeScript(
  root: string,
  blocks: readonly Block[],
  tsc: (args: readonly string[]) => Promise<Outcome>,
): Promise<void> {
  const at = join(root, folder);
  mkdirSync(at);
  try {
    const files = new Map(blocks.map((block, index) => [`block-${index + 1}.ts`, block]));
    for (const [name, { text }] of files) writeFileSync(join(at, name), `${text}export {};\n`);
    const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
    const project = { extends: "../tsconfig.base.json", compilerOptions, include: ["."] };
    writeFileSync(join(at, "tsconfig.json"), JSON.stringify(project));
    const { code, output } = await tsc(["--noEmit", "--pretty", "false", "-p", folder]);
    if (code === 0) return;
    throw placed(output, files);
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

/** The first error, at its own line of its page. */
function placed(output: string, files: ReadonlyMap<string, Block>): Error {
  const found = /(block-\d+\.ts)\((\d+),\d+\): (.*)/.exec(output);
  const block = found === null ? undefined : files.get(found[1] as string);
  if (found === null || block === undefined) return new Error(`tsc failed:\n${output}`);
  return new BlockError({ page: block.page, line: block.line + Number(found[2]) }, `${found[3]}\n${output.trim()}`);
}
