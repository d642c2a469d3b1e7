import { randomBytes } from "node:crypto";
import type { CallContext, PeerClient } from "./peer.ts";
import { userIds } from "./users.ts";

/** What a client's process is asked to do, for so long. */
export interface Load {
  readonly operation: "unary" | "stream" | "picture" | "abandoned";
  readonly concurrency: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

export interface Measured {
  /** Calls, whatever they count for. */
  readonly calls: number;
  readonly perSecond: number;
  /** Milliseconds of each operation. */
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  /** What the first error said. */
  readonly firstError?: string;
}

const messagesOfStream = 1_000;
const picture = new Uint8Array(randomBytes(1024 * 1024 - 16));

/** Runs a closed loop: so many calls in flight, each followed by the next. */
export async function perform(client: PeerClient, load: Load): Promise<Measured> {
  const once = operationOf(client, load.operation);
  await run(once, load.concurrency, load.warmUpMs);
  const { times, count, errors, elapsedMs, firstError } = await run(once, load.concurrency, load.measuredMs);
  times.sort();
  const at = (q: number): number => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0;
  return {
    calls: times.length,
    perSecond: (count / elapsedMs) * 1_000,
    p50: at(0.5),
    p99: at(0.99),
    errors,
    ...(firstError !== undefined && { firstError }),
  };
}

async function run(once: () => Promise<number>, concurrency: number, forMs: number) {
  const times: number[] = [];
  let count = 0;
  let errors = 0;
  let firstError: string | undefined;
  const start = performance.now();
  const loop = async (): Promise<void> => {
    for (let begun = performance.now(); begun - start < forMs; ) {
      try {
        const done = await once();
        count += done;
      } catch (error) {
        errors += 1;
        firstError ??= String(error);
      }
      const ended = performance.now();
      times.push(ended - begun);
      begun = ended;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return { times: Float64Array.from(times), count, errors, firstError, elapsedMs: performance.now() - start };
}

/** Resolves with how many it counts for, when the answer is what it should be. */
function operationOf(client: PeerClient, operation: Load["operation"]): () => Promise<number> {
  let calls = 0;
  const check = (isRight: boolean, weight: number): number => {
    if (!isRight) throw new Error("the answer is not what was asked for");
    return weight;
  };
  switch (operation) {
    case "unary":
      return async () => {
        const i = calls++ % userIds.length;
        const email = await client.getUser(userIds[i] as string, callContext(calls));
        return check(email === `adelheid.mustermann.${i}@example.com`, 1);
      };
    case "stream":
      return async () => check((await client.exportUsers?.(messagesOfStream)) === messagesOfStream, messagesOfStream);
    case "abandoned":
      return async () => {
        await client.abandonStream?.();
        return 1;
      };
    case "picture":
      return async () => check((await client.storePicture?.(picture)) === picture.length, 1);
  }
}

/** As tracing and deadlines make it: no two calls are alike. */
function callContext(call: number): CallContext {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  const span = `${random.toString(16).padStart(8, "0")}${(call >>> 0).toString(16).padStart(8, "0")}`;
  return { traceparent: `00-4bf92f3577b34da6${span}-${span}-01`, timeoutMs: 5_000 + (random % 5_000) };
}

let random = 1;
