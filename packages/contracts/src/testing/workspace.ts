import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** A copy of the contracts that a test may change, with what they import. */
export interface Workspace {
  readonly folder: string;
  /** Runs buf in it; its exit code and all that it printed. */
  buf(...args: string[]): { readonly code: number | null; readonly output: string };
  /** Replaces text in a file, which must have it. */
  edit(path: string, before: string, after: string): void;
  remove(): void;
}

const parts = [
  "proto",
  "buf.yaml",
  "packages/contracts/buf.gen.yaml",
  "node_modules/protobufjs/google/api",
  "node_modules/@grpc/reflection/build/proto",
  "node_modules/grpc-health-check/proto",
];

export function copyContracts(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "weft-contracts-"));
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
  const bin = join(root, "node_modules/.bin");
  return {
    folder,
    buf(...args) {
      const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
      const { status, stdout, stderr } = spawnSync(join(bin, "buf"), args, { cwd: folder, encoding: "utf8", env });
      return { code: status, output: stdout + stderr };
    },
    edit(path, before, after) {
      const text = readFileSync(join(folder, path), "utf8");
      if (!text.includes(before)) throw new Error(`${path} has no ${before}`);
      writeFileSync(join(folder, path), text.replace(before, after));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
