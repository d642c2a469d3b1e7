import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, BlockError } from "./block.ts";
import type { Outcome } from "./run-program.ts";

/** Builds a `proto` block, a whole file, among the contracts of a copy, and asks protoc-gen-weft whether it can be meant. */
export async function checkProto(
  root: string,
  block: Block,
  buf: (args: readonly string[]) => Promise<Outcome>,
): Promise<void> {
  const file = join("proto", `docs_block_${block.line}.proto`);
  const template = {
    version: "v2",
    plugins: [{ local: "protoc-gen-weft", out: "docs-generated", opt: ["target=ts", "import_extension=ts"] }],
  };
  writeFileSync(join(root, file), block.text);
  try {
    for (const args of [["build"], ["generate", "--template", JSON.stringify(template)]]) {
      const { code, output } = await buf([...args, "--path", file]);
      if (code !== 0) throw new BlockError(block, output.trim());
    }
  } finally {
    rmSync(join(root, file), { force: true });
    rmSync(join(root, "docs-generated"), { recursive: true, force: true });
  }
}
