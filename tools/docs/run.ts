/**
 * Runs every code block of README.md and docs/*.md, each page in a copy of the repository, and ends with 1 at the first that
 * doesn't hold, naming its page and line.
 *
 *   node --conditions=source tools/docs/run.ts [--only=README.md,docs/events.md]
 */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Stack } from "@weft/devstack";
import type { Block } from "./block.ts";
import { checkTypeScript } from "./check-typescript.ts";
import { type Copy, copyRepository } from "./copy-repository.ts";
import { startDocsStack } from "./docs-stack.ts";
import { parseBlocks } from "./parse-blocks.ts";
import { isWalkthrough, runBlocks } from "./run-page.ts";
import { runProgram } from "./run-program.ts";

const root = resolve(import.meta.dirname, "../..");
const { values } = parseArgs({ options: { only: { type: "string" } } });
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}
// Infrastructure of its own: what the environment names is somebody's.
const env = { ...process.env, NATS_URL: "", REDIS_URL: "", DATABASE_URL: "", SMTP_URL: "", PAYMENT_PROVIDER_URL: "" };
const say = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  const startedAt = performance.now();
  const pages = pagesToRun();
  const blocks = pages.flatMap((page) => parseBlocks(page, readFileSync(join(root, page), "utf8")));
  const walkthroughs = pages.map((page) => blocks.filter((block) => block.page === page)).filter(isWalkthrough);
  const plain = blocks.filter((block) => !walkthroughs.flat().includes(block));
  await inCopy(plain, true);
  for (const walkthrough of walkthroughs) await inCopy(walkthrough, false);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  say(`${blocks.length} blocks of ${pages.length} pages hold (${seconds} s)`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

function pagesToRun(): readonly string[] {
  const all = ["README.md", ...globSync("docs/*.md", { cwd: root }).sort()];
  const asked = values.only?.split(",") ?? all;
  const unknown = asked.find((page) => !all.includes(page));
  if (unknown !== undefined) throw new Error(`there is no page ${unknown}: ${all.join(", ")} are`);
  return asked;
}

/** Runs blocks in a copy of their own. `running`: their `sh` blocks find the stack up, wherever a page starts it. */
async function inCopy(blocks: readonly Block[], running: boolean): Promise<void> {
  if (blocks.length === 0) return;
  using copy: Copy = copyRepository(root);
  const run = (command: string, args: readonly string[]) =>
    runProgram(copy.root, command, args, env, interrupted.signal);
  const generated = await run("buf", ["generate"]);
  if (generated.code !== 0) throw new Error(`buf generate failed in a copy:\n${generated.output}`);
  const modules = blocks.filter(({ language, file }) => language === "ts" && file === undefined);
  if (modules.length > 0) await checkTypeScript(copy.root, modules, (args) => run("tsc", args));
  for (const block of modules) report(block, "type-checks");
  let stack: Stack | undefined;
  const dev = async (services: readonly string[] | undefined): Promise<Stack> => {
    interrupted.signal.throwIfAborted();
    stack ??= await startDocsStack(copy.root, services, env);
    return stack;
  };
  try {
    if (running && blocks.some(({ language }) => language === "sh")) await dev(undefined);
    await runBlocks(blocks, { copy, run, dev, report });
  } finally {
    await stack?.close();
  }
}

function report({ page, line, language, text }: Block, what: string): void {
  const [first = ""] = text.trim().split("\n");
  say(`${`${page}:${line}`.padEnd(28)} ${language.padEnd(5)}  ${what}${language === "sh" ? `: ${first}` : ""}`);
}
