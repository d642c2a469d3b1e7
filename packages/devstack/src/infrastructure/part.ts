import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ledger } from "../process/ledger.ts";
import type { PortPlan } from "../process/ports.ts";
import type { Run } from "../process/programs.ts";

/** How a piece of infrastructure was come by. */
export type Source = "environment" | "path" | "compose" | "apt" | "embedded" | "own";

/** One piece of infrastructure. What came from the environment is not ours: it can't be killed, started or stopped. */
export interface Part {
  readonly name: string;
  readonly source: Source;
  readonly url: string;
  readonly pid: number | undefined;
  /** The servers of a cluster; absent where it is one. */
  readonly nodes?: readonly Part[];
  readonly ready: Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** What every starter is given. */
export interface Ground {
  readonly root: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ports: PortPlan;
  readonly ledger: Ledger;
  readonly say: (text: string) => void;
  readonly run: Run;
  /** Data that nobody needs tomorrow: durability is traded for speed. */
  readonly ephemeral: boolean;
  /** NATS is to be a cluster of three. Default: one server. */
  readonly cluster?: boolean;
  /** Of the PostgreSQL that is started, beyond those of a development server: "name=value". */
  readonly postgresSettings?: readonly string[];
}

export function logFile(ground: Ground, name: string): string {
  return join(ground.dataDir, "logs", `${name}.log`);
}

/** The last lines of a log, for the error of a start that failed. */
export function endOfLog(file: string, lines = 12): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
