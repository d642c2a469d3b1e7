import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endingWithParent } from "./ending-with-parent.ts";
import type { FromProgram } from "./programs/orders.ts";

export interface ProgramStart {
  readonly file: "instance" | "caller";
  readonly options: unknown;
  readonly env: Readonly<Record<string, string>>;
  /** Modules that the process loads first. */
  readonly preload?: readonly string[];
  readonly onLine: (line: string) => void;
  /** It ended and was not told to. */
  readonly onEnd: (why: string) => void;
  /** Told at once how to end it. */
  readonly atEnd: (end: () => Promise<void>) => void;
}

/** A process of the fleet, which answers over IPC. */
export interface Program {
  /** As it names itself in the registry. */
  readonly instance: string;
  readonly address: string;
  readonly pid: number;
  tell(order: object): void;
  ask<T>(order: object): Promise<T>;
  /** Sends a signal; SIGKILL and SIGTERM say that its end is wanted. */
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<void>;
}

/** What a stack on the machine's disk may take to load on a busy machine. */
const startTimeoutMs = 60_000;

/** Starts a process; resolves when it says that it is ready. */
export async function startProgram(start: ProgramStart): Promise<Program> {
  const lines: string[] = [];
  const preloads = (start.preload ?? []).flatMap((module) => ["--import", module]);
  const [execPath = "", ...execArgv] = endingWithParent([process.execPath, "--conditions=source", ...preloads]);
  const child = fork(
    fileURLToPath(new URL(`./programs/${start.file}.ts`, import.meta.url)),
    [JSON.stringify(start.options)],
    {
      execPath,
      execArgv,
      env: { ...process.env, ...start.env },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      start.onLine(line);
    });
  }
  return await running(child, start, () => lines.join("\n"));
}

async function running(child: ChildProcess, start: ProgramStart, said: () => string): Promise<Program> {
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  const ready = Promise.withResolvers<Extract<FromProgram, { kind: "ready" }>>();
  let nextRequest = 1;
  let endWanted = false;

  child.on("message", (message: FromProgram) => {
    if (message.kind === "ready") return ready.resolve(message);
    const request = pending.get(message.request);
    pending.delete(message.request);
    if (message.kind === "reply") request?.resolve(message.value);
    else request?.reject(new Error(message.why));
  });
  // Orders to a process that is gone: its end is told by "close".
  child.on("error", () => {});
  const ended = once(child, "close").then(([code, signal]) => {
    const why = `${start.file} ended by ${signal ?? `code ${code}`}: ${said()}`;
    ready.reject(new Error(why));
    for (const request of pending.values()) request.reject(new Error(why));
    if (!endWanted) start.onEnd(why);
  });
  ready.promise.catch(() => {});
  start.atEnd(async () => {
    endWanted = true;
    child.kill("SIGKILL");
    await ended;
  });
  const late = setTimeout(() => {
    ready.reject(new Error(`${start.file} was not ready within ${startTimeoutMs / 1_000} s: ${said()}`));
    child.kill("SIGKILL");
  }, startTimeoutMs);
  const { instance, address = "" } = await ready.promise.finally(() => clearTimeout(late));
  return {
    instance,
    address,
    pid: child.pid as number,
    ended,
    tell: (order) => void child.send(order),
    ask<T>(order: object) {
      const request = nextRequest++;
      const answer = Promise.withResolvers<unknown>();
      pending.set(request, answer);
      child.send({ ...order, request });
      return answer.promise as Promise<T>;
    },
    signal(signal) {
      if (signal === "SIGKILL" || signal === "SIGTERM") endWanted = true;
      child.kill(signal);
    },
  };
}
