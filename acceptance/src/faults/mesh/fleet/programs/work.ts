import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, remainingMs } from "@weft/context";
import { machineNow } from "../machine-clock.ts";
import type { Behaviour, Served } from "./orders.ts";

/** What an instance does for its calls, and what it noted of them. */
export interface Work {
  behaviour: Behaviour;
  readonly served: readonly Served[];
  /** Serves a call as the behaviour says, then by `rest` where it is given. Ends early when the call is not wanted any more. */
  serve(call: string, signal: AbortSignal, rest?: () => Promise<unknown>): Promise<void>;
}

export function createWork(behaviour: Behaviour, random: () => number): Work {
  const served: { -readonly [K in keyof Served]: Served[K] }[] = [];
  const waiting: (() => void)[] = [];
  let running = 0;

  /** First come, first served. */
  async function inLine(workers: number, run: () => Promise<void>): Promise<void> {
    if (running >= workers) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  async function once(signal: AbortSignal): Promise<void> {
    const { latencyMs = 10, longMs, failWith, computeMs = 0 } = work.behaviour;
    const takesMs = longMs !== undefined && random() < 0.05 ? longMs : latencyMs * (1 + random() / 2);
    if (computeMs > 0) compute(computeMs);
    if (takesMs > 0) await sleep(takesMs, undefined, { signal });
    if (failWith !== undefined) throw new ConnectError("told to fail", codes[failWith]);
  }

  const work: Work = {
    behaviour,
    served,
    async serve(call, signal, rest) {
      const run: (typeof served)[0] = {
        call,
        leftMs: remainingMs(currentCall()),
        startedAt: machineNow(),
        endedAt: undefined,
      };
      served.push(run);
      try {
        const { workers } = work.behaviour;
        await (workers === undefined ? once(signal) : inLine(workers, () => once(signal)));
        await rest?.();
      } finally {
        run.endedAt = machineNow();
      }
    },
  };
  return work;
}

/** Stands the event loop still, on the processor. */
function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const codes = {
  UNAVAILABLE: Code.Unavailable,
  INTERNAL: Code.Internal,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
} as const satisfies Record<NonNullable<Behaviour["failWith"]>, Code>;
