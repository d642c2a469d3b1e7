import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProgramOptions } from "./programs/program.ts";

export type ProgramName = "publisher" | "relay" | "subscriber";

export interface ReplicaOptions {
  readonly program: ProgramName;
  /** Asked at each start. */
  readonly options: () => ProgramOptions;
  /** It killed itself where it was told to; it is started again. */
  readonly onCrash: (crash: NonNullable<ProgramOptions["crash"]>) => void;
  /** It ended for another reason; it is not started again. */
  readonly onEnd: (why: string) => void;
  readonly onLine: (line: string) => void;
}

/** A process of the drill that is started again after each of its crashes. */
export interface Replica {
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

export function startReplica({ program, options, onCrash, onEnd, onLine }: ReplicaOptions): Replica {
  const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url));
  let child: ChildProcess;
  let stopping = false;

  function start(): void {
    const given = options();
    const lines: string[] = [];
    child = fork(file, [JSON.stringify(given)], {
      execArgv: ["--conditions=source", "--max-semi-space-size=2"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const { stderr } = child;
    if (stderr) {
      createInterface({ input: stderr }).on("line", (line) => {
        lines.push(line);
        if (lines.length > 20) lines.shift();
        onLine(line);
      });
    }
    child.once("close", (code, signal) => {
      if (stopping) return;
      if (given.crash === undefined || signal !== "SIGKILL") {
        return onEnd(`${program} ended by ${signal ?? `code ${code}`}: ${lines.join("\n")}`);
      }
      onCrash(given.crash);
      start();
    });
  }

  start();
  return {
    get pid() {
      return child.pid;
    },
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const closed = once(child, "close");
      child.kill("SIGTERM");
      const insist = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await closed;
      clearTimeout(insist);
    },
  };
}
