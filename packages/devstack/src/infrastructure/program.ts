import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import type { Child, Launch } from "../process/child.ts";
import { choosePort, poll } from "../process/ports.ts";
import { createSupervised, type Supervised } from "../process/supervised.ts";
import { endOfLog, type Ground, logFile, type Part, type Source } from "./part.ts";

export interface Program {
  readonly name: string;
  readonly source: Source;
  /** Taken with `ports: "dev"` when nobody has it. */
  readonly preferredPort: number;
  readonly url: (port: number) => string;
  readonly launch: (port: number) => Omit<Launch, "cwd" | "env" | "output"> & { readonly env?: NodeJS.ProcessEnv };
  readonly serves: (port: number, child: Child, signal: AbortSignal) => Promise<void>;
  readonly stopSignal?: NodeJS.Signals;
  /** See SupervisedOptions. */
  readonly passing?: RegExp;
}

/** Runs a program of the machine (or of ours) on a private port that it keeps over kills and starts. */
export async function startProgram(ground: Ground, program: Program): Promise<Part> {
  let lastError: unknown;
  // Between choosing a port and listening on it somebody else may take it: then another one is chosen.
  for (let attempt = 0; attempt < 3; attempt++) {
    const preferred = ground.ports === "dev" && attempt === 0 ? program.preferredPort : undefined;
    const port = await choosePort(preferred);
    if (preferred !== undefined && port !== preferred) {
      ground.say(`${program.name}: port ${preferred} is taken by somebody else, using ${port}`);
    }
    const supervised = supervise(ground, program, port);
    try {
      await supervised.start();
      return partOf(supervised, program, port);
    } catch (error) {
      lastError = error;
      await supervised.stop();
      if (!/address already in use|EADDRINUSE|bind/i.test(String(error))) break;
    }
  }
  throw lastError;
}

function supervise(ground: Ground, program: Program, port: number): Supervised {
  const log = logFile(ground, program.name);
  mkdirSync(dirname(log), { recursive: true });
  return createSupervised({
    name: program.name,
    ledger: ground.ledger,
    restart: "once-ready",
    readyTimeoutMs: 30_000,
    ...(program.stopSignal && { stopSignal: program.stopSignal }),
    ...(program.passing && { passing: program.passing }),
    launch: () => ({ env: ground.env, ...program.launch(port), cwd: ground.dataDir, output: { file: log } }),
    serves: (child, signal) => program.serves(port, child, signal),
    explain: () => endOfLog(log),
    onState: (state, { retryMs }) => {
      if (state === "crashed" && retryMs !== undefined) ground.say(`${program.name} ended; starting it again`);
    },
  });
}

function partOf(supervised: Supervised, program: Program, port: number): Part {
  return {
    name: program.name,
    source: program.source,
    url: program.url(port),
    get pid() {
      return supervised.pid;
    },
    get ready() {
      return supervised.ready;
    },
    start: supervised.start,
    stop: supervised.stop,
    kill: supervised.kill,
  };
}

/** Resolves when the server says what it should: `send` may be empty where the server speaks first. */
export function waitForGreeting(port: number, send: string, expect: string, signal: AbortSignal): Promise<void> {
  return poll(() => greets(port, send, expect), signal);
}

function greets(port: number, send: string, expect: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once("connect", () => send !== "" && socket.write(send));
    socket.once("data", (data) => end(data.toString("latin1").startsWith(expect)));
    socket.once("error", () => end(false)).once("close", () => end(false));
  });
}
