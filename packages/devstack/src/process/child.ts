import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { signalQuietly } from "./identity.ts";
import { findProgram } from "./programs.ts";

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where its output goes: a file that grows, or a function called for every line. */
  readonly output: { readonly file: string } | { readonly onLine: (line: string, stream: "stdout" | "stderr") => void };
  /**
   * How it learns that this process died. `pipe`: its file descriptor 3 ends (see lifeline.ts). A signal: the kernel
   * sends it (Linux with setpriv; elsewhere the next start ends what was left, by the ledger).
   */
  readonly orphan: "pipe" | "SIGTERM" | "SIGINT";
  /** The program is to run as this user; needs root, and setpriv. */
  readonly user?: { readonly uid: number; readonly gid: number; readonly capabilities: readonly string[] };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Asks with `signal`, insists with SIGKILL on it and its group after `timeoutMs`. */
  stop(signal: NodeJS.Signals, timeoutMs: number): Promise<Exit>;
}

/**
 * Starts a program in a process group of its own: Ctrl-C in a terminal reaches the supervisor only, which stops the
 * others in order. Rejects when the program can't be started.
 */
export async function startChild(launch: Launch): Promise<Child> {
  const { command, args } = withPrivileges(launch);
  const { output } = launch;
  const log = "file" in output ? openLog(output.file) : undefined;
  const process = spawn(command, args, {
    cwd: launch.cwd,
    env: launch.env,
    detached: true,
    stdio: ["ignore", log ?? "pipe", log ?? "pipe", launch.orphan === "pipe" ? "pipe" : "ignore"],
  });
  if (log !== undefined) closeSync(log);
  // "close" rather than "exit": the last lines have been read by then.
  const exited = new Promise<Exit>((resolve) => process.once("close", (code, signal) => resolve({ code, signal })));
  await new Promise<void>((resolve, reject) => {
    process.once("spawn", resolve);
    process.once("error", (cause) => reject(new Error(`${launch.command} can't be started: ${cause.message}`)));
  });
  process.on("error", () => {});
  // The other end closes when the child dies; that is told by "close".
  process.stdio[3]?.on("error", () => {});
  if ("onLine" in output) readLines(process, output.onLine);
  const pid = process.pid as number;
  let over = false;
  void exited.then(() => {
    over = true;
  });
  const kill = (signal: NodeJS.Signals) => {
    if (!over) signalQuietly(pid, signal);
  };
  return {
    pid,
    exited,
    kill,
    async stop(signal, timeoutMs) {
      kill(signal);
      const insist = setTimeout(() => {
        if (!over) signalQuietly(-pid, "SIGKILL");
      }, timeoutMs);
      const exit = await exited;
      clearTimeout(insist);
      return exit;
    },
  };
}

function readLines(process: ChildProcess, onLine: (line: string, stream: "stdout" | "stderr") => void): void {
  for (const stream of ["stdout", "stderr"] as const) {
    const input = process[stream];
    if (input !== null) createInterface({ input }).on("line", (line) => onLine(line, stream));
  }
}

function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, "a");
}

/** setpriv(1) executes the program in its own place, so the process id stays that of the program. */
function withPrivileges(launch: Launch): { command: string; args: readonly string[] } {
  const setpriv = findProgram("setpriv", { PATH: "/usr/bin:/bin" });
  const options: string[] = [];
  if (launch.user !== undefined) {
    options.push(`--reuid=${launch.user.uid}`, `--regid=${launch.user.gid}`, "--clear-groups");
    const capabilities = launch.user.capabilities.map((name) => `+${name}`).join(",");
    if (capabilities !== "") options.push(`--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`);
  }
  if (launch.orphan !== "pipe") options.push("--pdeathsig", launch.orphan.slice("SIG".length));
  if (options.length === 0) return launch;
  if (setpriv !== undefined) return { command: setpriv, args: [...options, "--", launch.command, ...launch.args] };
  if (launch.user === undefined) return launch;
  throw new Error(
    "PostgreSQL refuses to run as root, and setpriv (util-linux) is missing. Run as another user, or set DATABASE_URL.",
  );
}
