import { setTimeout } from "node:timers/promises";
import type { PeerClient } from "../rpc/peer.ts";
import { userIds } from "../rpc/users.ts";

export interface Load {
  readonly callsPerSecond: number;
  readonly forMs: number;
}

export interface Measured {
  /** Milliseconds of each call. */
  readonly times: readonly number[];
  readonly errors: number;
  readonly firstError?: string;
}

/** Runs an open loop: calls begin at random (Poisson), whatever became of those before. Resolves when all have ended. */
export async function perform(getUser: PeerClient["getUser"], { callsPerSecond, forMs }: Load): Promise<Measured> {
  const times: number[] = [];
  const running = new Set<Promise<void>>();
  let errors = 0;
  let firstError: string | undefined;
  const call = async (i: number): Promise<void> => {
    const begun = performance.now();
    try {
      const email = await getUser(userIds[i % userIds.length] as string, callContext(i));
      if (!email.endsWith(`.${i % userIds.length}@example.com`))
        throw new Error("the answer is not what was asked for");
    } catch (error) {
      errors += 1;
      firstError ??= String(error);
    }
    times.push(performance.now() - begun);
  };
  const start = performance.now();
  let due = start;
  for (let i = 0; due < start + forMs; i++) {
    // Timers are late by a millisecond: what has become due meanwhile begins together.
    const early = due - performance.now();
    if (early > 0) await setTimeout(early);
    const one = call(i).finally(() => running.delete(one));
    running.add(one);
    due -= (1_000 / callsPerSecond) * Math.log(1 - Math.random());
  }
  await Promise.all(running);
  return { times, errors, ...(firstError !== undefined && { firstError }) };
}

/** As tracing and deadlines make it: no two calls are alike. */
function callContext(call: number): { readonly traceparent: string; readonly timeoutMs: number } {
  const span = (call + 1).toString(16).padStart(16, "0");
  return { traceparent: `00-4bf92f3577b34da6${span}-${span}-01`, timeoutMs: 5_000 + (call % 5_000) };
}
