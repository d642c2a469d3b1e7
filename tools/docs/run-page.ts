import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Stack } from "@weft/devstack";
import { applyChange, parseDiff } from "./apply-diff.ts";
import { type Block, BlockError } from "./block.ts";
import { checkData } from "./check-data.ts";
import { checkProto } from "./check-proto.ts";
import { commandOf } from "./commands.ts";
import type { Copy } from "./copy-repository.ts";
import type { Outcome } from "./run-program.ts";

/** A page's place to run in. */
export interface Scene {
  readonly copy: Copy;
  readonly run: (command: string, args: readonly string[]) => Promise<Outcome>;
  /** Starts the stack, or gives the one that runs. */
  readonly dev: (services: readonly string[] | undefined) => Promise<Stack>;
  readonly report: (block: Block, what: string) => void;
}

/** Whether the page changes the repository step by step, and so needs a copy and a stack of its own. */
export function isWalkthrough(blocks: readonly Block[]): boolean {
  return blocks.some(({ language, file }) => language === "diff" || file !== undefined);
}

/** Runs the blocks of a page in their order; `ts` blocks that are no files are checked elsewhere, all at once. Throws a BlockError at the first that fails. */
export async function runBlocks(blocks: readonly Block[], scene: Scene): Promise<void> {
  for (const block of blocks) {
    try {
      const what = await runBlock(block, scene);
      if (what !== undefined) scene.report(block, what);
    } catch (error) {
      throw error instanceof BlockError ? error : new BlockError(block, (error as Error).message);
    }
  }
}

async function runBlock(block: Block, scene: Scene): Promise<string | undefined> {
  checkData(block);
  if (block.file !== undefined) return writeWhole(block, block.file, scene);
  switch (block.language) {
    case "sh":
      return runShell(block, scene);
    case "diff":
      return applyDiff(block, scene);
    case "proto":
      await checkProto(scene.copy.root, block, (args) => scene.run("buf", args));
      return "builds";
    case "json":
    case "yaml":
      return "reads";
    case "ts":
    case "text":
    case "mermaid":
      return undefined;
  }
}

function writeWhole(block: Block, file: string, { copy }: Scene): string {
  const path = join(copy.root, file);
  if (existsSync(path)) throw new BlockError(block, `${file} is there already: change it with a diff`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, block.text);
  return `wrote ${file}`;
}

function applyDiff(block: Block, { copy }: Scene): string {
  const changes = parseDiff(block.text);
  for (const change of changes) {
    const path = join(copy.root, change.file);
    writeFileSync(path, applyChange(change, readFileSync(path, "utf8")));
  }
  return `changed ${changes.map(({ file }) => file).join(", ")}`;
}

async function runShell(block: Block, scene: Scene): Promise<string> {
  const { copy, run } = scene;
  const command = commandOf(copy.root, block.text);
  switch (command.kind) {
    case "elsewhere":
      return "is run elsewhere";
    case "dev": {
      const stack = await scene.dev(command.services);
      return `${stack.services.length} services are ready`;
    }
    case "install":
      // The libraries are links here: what npm would do to node_modules is done by hand.
      await must(block, run("npm", ["install", "--package-lock-only", "--offline", "--ignore-scripts", "--no-audit"]));
      copy.link();
      return "the lock file takes it";
    case "script":
      await must(block, run("bash", ["-euo", "pipefail", "-c", block.text]));
      return "runs";
  }
}

async function must(block: Block, running: Promise<Outcome>): Promise<void> {
  const { code, output } = await running;
  if (code !== 0) throw new BlockError(block, `it ended with code ${code}:\n${output.trim()}`);
}
