import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { RegistrationDeniedError, RegistryClosedError, RegistryUnavailableError } from "../errors.ts";
import type { Load } from "../registry.ts";
import { describeAddress } from "./connection.ts";
import type { FromHeart, HeartData, HeartRequest, HeldLease, ToHeart } from "./heart-messages.ts";
import type { RegistryLogger } from "./logger.ts";
import { createPulseMemory, createPulseWriter } from "./pulse.ts";

export interface HeartOptions extends Omit<HeartData, "pulse"> {
  readonly load: (() => Load) | undefined;
  readonly clock: { now(): number };
  readonly logger: RegistryLogger | undefined;
}

/** The main thread's side of the thread that keeps its leases. */
export interface Heart {
  /** Registers the lease and beats for it from then on. Resolves with its epoch. */
  hold(lease: HeldLease, onLost: () => void): Promise<string>;
  update(id: number, state: HeldLease["state"]): Promise<void>;
  release(id: number): Promise<void>;
  /** Releases everything that is held and ends the thread. */
  close(): Promise<void>;
}

/** Thrown when the heart reports that the lease belongs to a newer registration. */
export class HeldByNewerError extends Error {}

interface Held {
  lease: HeldLease;
  readonly onLost: () => void;
}

interface Pending {
  resolve(epoch: string): void;
  reject(error: Error): void;
}

/**
 * Starts the thread with the first lease; a process that only watches has none. A thread that dies (out of memory, a bug) is
 * replaced, and its leases are taken over with their epochs.
 */
export function createHeart(options: HeartOptions): Heart {
  const { load, clock, logger, ...data } = options;
  const pulse = createPulseMemory();
  const held = new Map<number, Held>();
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let nextRequest = 1;
  let closed = false;

  function start(): Worker {
    ticking ??= startTicking(pulse, Math.min(1_000, data.heartbeatMs / 2), clock, load);
    const thread = new Worker(new URL(`./heart-thread${extname(import.meta.url)}`, import.meta.url), {
      name: "weft-heart",
      workerData: { ...data, pulse } satisfies HeartData,
      // Neither the preloads nor the heap of the main thread: it only sends a few commands a second.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
    });
    thread.unref();
    thread.on("message", receive);
    thread.on("error", (error) => logger?.error({ err: error }, "registry: the heartbeat thread failed"));
    thread.on("exit", () => {
      if (worker !== thread) return;
      worker = undefined;
      for (const request of pending.values())
        request.reject(new RegistryUnavailableError("The heartbeat thread ended."));
      pending.clear();
      if (!closed) setTimeout(takeOver, data.heartbeatMs).unref();
    });
    return thread;
  }

  function takeOver(): void {
    if (closed) return;
    for (const { lease, onLost } of held.values()) {
      if (lease.epoch === "") continue;
      ask({ kind: "register", lease }).catch((error: unknown) => {
        if (error instanceof HeldByNewerError) {
          if (held.delete(lease.id)) onLost();
        } else {
          const { service } = lease.registration;
          logger?.error({ err: error, service }, "registry: a lease could not be taken over yet");
        }
      });
    }
  }

  function receive(message: FromHeart): void {
    switch (message.kind) {
      case "done":
        take(message.request)?.resolve(message.epoch);
        return;
      case "failed":
        take(message.request)?.reject(errorOf(message.cause, message.message));
        return;
      case "lost": {
        const lease = held.get(message.id);
        held.delete(message.id);
        lease?.onLost();
        return;
      }
      case "log":
        logger?.[message.level]({}, `registry: ${message.message}`);
        return;
    }
  }

  function errorOf(cause: (FromHeart & { kind: "failed" })["cause"], message: string): Error {
    const address = describeAddress(data.url);
    switch (cause) {
      case "lost":
        return new HeldByNewerError();
      case "denied":
        return new RegistrationDeniedError(`${address} refuses: ${message}`);
      case "unavailable":
        return new RegistryUnavailableError(`${address} did not take the change: ${message}`);
    }
  }

  function take(request: number): Pending | undefined {
    const found = pending.get(request);
    pending.delete(request);
    // Nothing more is awaited from it, so it must not keep the process alive.
    if (pending.size === 0) worker?.unref();
    return found;
  }

  function ask(request: HeartRequest): Promise<string> {
    worker ??= start();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const message: ToHeart = { ...request, request: nextRequest };
    pending.set(nextRequest, { resolve, reject });
    nextRequest += 1;
    worker.ref();
    worker.postMessage(message);
    return promise;
  }

  return {
    async hold(lease, onLost) {
      if (closed) throw new RegistryClosedError();
      const entry: Held = { lease, onLost };
      held.set(lease.id, entry);
      try {
        const epoch = await ask({ kind: "register", lease });
        entry.lease = { ...lease, epoch };
        return epoch;
      } catch (error) {
        held.delete(lease.id);
        throw error;
      }
    },
    async update(id, state) {
      const entry = held.get(id);
      if (entry === undefined) return;
      entry.lease = { ...entry.lease, state };
      await ask({ kind: "update", id, state });
    },
    async release(id) {
      if (!held.delete(id)) return;
      await ask({ kind: "release", id });
    },
    async close() {
      if (closed) return;
      closed = true;
      held.clear();
      if (worker !== undefined) {
        await ask({ kind: "close" }).catch(() => {});
        await worker?.terminate();
      }
      clearInterval(ticking);
    },
  };
}

/** Shows the other thread that this one's event loop turns. Keeps no process alive. */
function startTicking(
  memory: SharedArrayBuffer,
  everyMs: number,
  clock: { now(): number },
  load: (() => Load) | undefined,
): NodeJS.Timeout {
  const pulse = createPulseWriter(memory);
  let due = clock.now() + everyMs;
  const tick = () => {
    const lateMs = Math.max(0, clock.now() - due);
    due = clock.now() + everyMs;
    pulse.tick(load?.() ?? { eventLoopDelayMs: lateMs, inFlight: 0 });
  };
  return setInterval(tick, everyMs).unref();
}
