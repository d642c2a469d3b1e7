import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { moduleUrl } from "../infrastructure/infrastructure.ts";
import { endOfLog, type Ground, logFile } from "../infrastructure/part.ts";
import { waitForPort } from "../process/ports.ts";
import { createSupervised, type State, type StateDetail, type Supervised } from "../process/supervised.ts";
import { parseLogLine, readyAddresses } from "./log-line.ts";
import type { ServiceDescription } from "./workspace.ts";

/** A service of the stack. Each start may bring other addresses; they are those of the last ready line. */
export interface RunningService extends Supervised {
  readonly addresses: Readonly<Record<string, string>>;
  readonly databaseUrl: string | undefined;
  readonly description: ServiceDescription;
}

export interface ServiceOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly startEnv: (service: string) => Readonly<Record<string, string>>;
  readonly databaseUrl: string | undefined;
  readonly restart: "always" | "never";
  readonly onLine: (service: string, line: string) => void;
  readonly onState: (service: string, state: State, detail: StateDetail) => void;
}

/** Six services share the machine with their developer: a young generation smaller than V8's own saves memory; below 8 MB it costs a sixth of the CPU. */
const NODE_OPTIONS = ["--conditions=source", "--enable-source-maps", "--max-semi-space-size=8"];

export function superviseService(
  ground: Ground,
  description: ServiceDescription,
  options: ServiceOptions,
): RunningService {
  const { name } = description;
  const log = logFile(ground, name);
  mkdirSync(dirname(log), { recursive: true });
  let addresses: Readonly<Record<string, string>> = {};
  let announced = Promise.withResolvers<Readonly<Record<string, string>>>();
  const supervised = createSupervised({
    name,
    ledger: ground.ledger,
    restart: options.restart,
    stopTimeoutMs: 15_000,
    launch() {
      announced = Promise.withResolvers();
      return {
        command: process.execPath,
        args: [...NODE_OPTIONS, "--import", moduleUrl("../process/lifeline"), join("src", "main.ts")],
        cwd: join(ground.root, description.folder),
        env: { ...ground.env, ...options.env, ...options.startEnv(name) },
        orphan: "pipe",
        output: {
          onLine(line) {
            appendFileSync(log, `${line}\n`);
            const found = readyAddresses(parseLogLine(line));
            if (found !== undefined) announced.resolve(found);
            options.onLine(name, line);
          },
        },
      };
    },
    async serves(_child, signal) {
      const gone = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      const found = await Promise.race([announced.promise, gone]);
      await Promise.all(Object.values(found).map((address) => waitForPort(...hostAndPort(address), signal)));
      addresses = found;
    },
    explain: () => endOfLog(log, 20),
    onState: (state, detail) => options.onState(name, state, detail),
  });
  return Object.defineProperties(supervised, {
    addresses: { get: () => addresses, enumerable: true },
    databaseUrl: { value: options.databaseUrl, enumerable: true },
    description: { value: description, enumerable: true },
  }) as RunningService;
}

function hostAndPort(address: string): [string, number] {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  // What listens everywhere is asked on this machine.
  return [host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host, Number(address.slice(at + 1))];
}
