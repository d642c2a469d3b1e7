import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Run, run as runProgram } from "./process/programs.ts";

/** What generated code depends on. The lock file stands for the versions of buf and of the plugins. */
const INPUTS = [
  "proto/**/*.proto",
  "proto/**/*.yaml",
  "packages/codegen/{bin,src}/**/*.{ts,mjs}",
  "packages/contracts/src/**/*.ts",
  "buf.yaml",
  "buf.gen.yaml",
  "package-lock.json",
];

/** The folders that buf.gen.yaml writes to, relative to the root. */
export function generatedFolders(root: string): readonly string[] {
  const template = join(root, "buf.gen.yaml");
  if (!existsSync(template)) return [];
  const outs = [...readFileSync(template, "utf8").matchAll(/^\s*out:\s*["']?([^\s"']+)/gm)].map(
    (match) => match[1] as string,
  );
  return [...new Set(outs)];
}

/**
 * Runs `buf generate` unless the last run saw the same contracts and generator. Resolves true when it ran.
 * The stamp lies in the output, so that it goes when the output goes. Rejects with what buf said.
 */
export async function generateIfChanged(
  root: string,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
  run: Run = runProgram,
): Promise<boolean> {
  const folders = generatedFolders(root);
  if (folders.length === 0) return false;
  const hash = hashInputs(root);
  const stamps = folders.map((folder) => join(root, folder, ".generated-from"));
  if (stamps.every((stamp) => existsSync(stamp) && readFileSync(stamp, "utf8") === hash)) return false;
  say("contracts or generator changed: buf generate");
  const result = await run(join(root, "node_modules", ".bin", "buf"), ["generate"], { cwd: root, env });
  if (result.code !== 0) throw new Error(`buf generate failed:\n${result.stderr.trim()}`);
  for (const [index, folder] of folders.entries()) {
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(stamps[index] as string, hash);
  }
  return true;
}

function hashInputs(root: string): string {
  const hash = createHash("sha256");
  const files = INPUTS.flatMap((pattern) => globSync(pattern, { cwd: root }));
  for (const file of files.filter((name) => !name.endsWith(".test.ts")).sort()) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}
