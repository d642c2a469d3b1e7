import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Debian keeps servers in sbin, which is on the PATH of root only. */
const SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin"];

/** The program's full path, or undefined. An empty PATH means that nothing is installed: no other folder is tried then. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const path = env.PATH ?? "";
  if (path === "") return undefined;
  for (const folder of [...path.split(delimiter), ...SERVER_FOLDERS]) {
    const candidate = join(folder, name);
    if (folder !== "" && isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Tests give their own, so that no package is installed and no container started. */
export type Run = (
  command: string,
  args: readonly string[],
  options?: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number; readonly cwd?: string },
) => Promise<RunResult>;

export const run: Run = (command, args, options = {}) =>
  new Promise((resolve) => {
    execFile(
      command,
      args,
      {
        encoding: "utf8",
        maxBuffer: 64 * 1024 * 1024,
        ...(options.env && { env: options.env }),
        ...(options.cwd && { cwd: options.cwd }),
        ...(options.timeoutMs && { timeout: options.timeoutMs }),
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 127;
        resolve({ code, stdout, stderr: stderr || (error?.message ?? "") });
      },
    );
  });
