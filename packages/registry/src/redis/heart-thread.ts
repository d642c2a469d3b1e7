import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { describeAddress, openConnection } from "./connection.ts";
import type { FromHeart, HeartData, HeldLease, ToHeart } from "./heart-messages.ts";
import { channelOf, keysOf, servicesKey } from "./keys.ts";
import { createPulseReader } from "./pulse.ts";
import { encodeFacts, encodeLoad } from "./record.ts";
import { beatScript, indexScript, releaseScript } from "./scripts.ts";

// The thread that keeps a process's leases: with a connection and a timer of its own, so that a busy main thread isn't a death.

const data = workerData as HeartData;
const port = parentPort;
if (port === null) throw new Error("heart-thread.ts runs as a worker thread only");

class LostError extends Error {}

const pulse = createPulseReader(data.pulse);
const ttlMs = 3 * data.heartbeatMs;
const leases = new Map<number, HeldLease>();
let lastTicks = pulse.ticks();
let lastTickAt = performance.now();
let asleep = false;
let connectionError = "";

const redis = openConnection({
  url: data.url,
  name: "weft-heart",
  commandTimeoutMs: Math.max(1_000, data.heartbeatMs),
  maxRetryDelayMs: Math.min(1_000, data.heartbeatMs),
  waits: false,
});
redis.on("error", (error: Error) => {
  const message = error.message || (error as NodeJS.ErrnoException).code || "no connection";
  if (message !== connectionError)
    log("warn", `${describeAddress(data.url)}: ${message}; the lease is kept up as soon as it answers`);
  connectionError = message;
});
redis.on("ready", () => {
  if (connectionError !== "") log("info", `${describeAddress(data.url)} answers again`);
  connectionError = "";
  void beatAll();
});

function send(message: FromHeart): void {
  port?.postMessage(message);
}

function log(level: "info" | "warn", message: string): void {
  send({ kind: "log", level, message });
}

/** Milliseconds for which the main thread's event loop has stood still. */
function blockedForMs(): number {
  const ticks = pulse.ticks();
  const now = performance.now();
  if (ticks !== lastTicks) {
    lastTicks = ticks;
    lastTickAt = now;
  }
  return now - lastTickAt;
}

/** Writes the lease to Redis as it is now. Throws LostError when a newer registration has its id. */
async function beat({ registration, epoch, state }: HeldLease): Promise<string> {
  const { service, instance } = registration;
  const load = pulse.load();
  const eventLoopDelayMs = Math.max(load.eventLoopDelayMs, blockedForMs() - data.heartbeatMs);
  const facts = encodeFacts(registration);
  const args = [instance, epoch, state, facts, encodeLoad({ ...load, eventLoopDelayMs }), ttlMs, channelOf(service)];
  const [verdict, holder] = (await beatScript.run(redis, keysOf(service), args)) as [string, string];
  if (verdict === "lost") throw new LostError(`epoch ${holder} took the id`);
  return holder;
}

/** Beats for a lease that is held, and tells its owner when it is lost. */
async function renew(lease: HeldLease): Promise<string> {
  try {
    return await beat(lease);
  } catch (error) {
    if (error instanceof LostError && leases.delete(lease.id)) send({ kind: "lost", id: lease.id });
    throw error;
  }
}

async function remove({ registration, epoch }: HeldLease): Promise<void> {
  const { service, instance } = registration;
  const left = await releaseScript.run(redis, keysOf(service), [instance, epoch, channelOf(service)]);
  // A registration at this very moment may lose its index entry, and has it back with its next beat.
  if (left === 0) await redis.zrem(servicesKey, service);
}

async function beatAll(): Promise<void> {
  const held = [...leases.values()];
  if (held.length === 0) return;
  if (blockedForMs() > data.blockedMs) {
    if (asleep) return;
    asleep = true;
    log(
      "warn",
      `the main thread has been blocked for ${Math.round(blockedForMs() / 1000)} s: its leases are dropped until it turns again`,
    );
    await Promise.allSettled(held.map(remove));
    return;
  }
  if (asleep) log("info", "the main thread turns again: its leases are back");
  asleep = false;
  const services = new Set(held.map((lease) => lease.registration.service));
  // Failures say nothing new here: the connection's own error was logged, and the next beat repairs what this one missed.
  await Promise.allSettled([...held.map(renew), indexScript.run(redis, [servicesKey], [ttlMs, ...services])]);
}

async function register(lease: HeldLease): Promise<string> {
  const until = performance.now() + data.registerTimeoutMs;
  // Taken over from a thread that died: the beats go on with it, also when Redis is away for longer than this tries.
  const takenOver = lease.epoch !== "";
  if (takenOver) leases.set(lease.id, lease);
  for (;;) {
    // As it is by now: meanwhile it may have been changed, or released.
    const held = leases.get(lease.id) ?? (takenOver ? undefined : lease);
    if (held === undefined) return lease.epoch;
    try {
      const epoch = await beat(held);
      if (held.epoch === "") leases.set(lease.id, { ...held, epoch });
      await indexScript.run(redis, [servicesKey], [ttlMs, lease.registration.service]);
      return epoch;
    } catch (error) {
      if (error instanceof LostError) leases.delete(lease.id);
      if (error instanceof LostError || performance.now() >= until || isRefusal(error)) throw error;
      await sleep(Math.min(100, data.heartbeatMs));
    }
  }
}

/** Redis answered, and will answer the same next time: no right, wrong type, too old. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === "ReplyError" &&
    !/^(LOADING|MASTERDOWN|READONLY|TRYAGAIN|CLUSTERDOWN|BUSY)/.test(error.message)
  );
}

async function handle(message: ToHeart): Promise<string> {
  switch (message.kind) {
    case "register":
      return await register(message.lease);
    case "update": {
      const lease = leases.get(message.id);
      if (lease === undefined) throw new Error("this thread does not hold the lease yet");
      const changed = { ...lease, state: message.state };
      leases.set(lease.id, changed);
      return await renew(changed);
    }
    case "release": {
      const lease = leases.get(message.id);
      leases.delete(message.id);
      if (lease !== undefined) await remove(lease);
      return "";
    }
    case "close": {
      const held = [...leases.values()];
      leases.clear();
      await Promise.allSettled(held.map(remove));
      clearInterval(timer);
      redis.disconnect();
      return "";
    }
  }
}

const timer = setInterval(() => void beatAll(), data.heartbeatMs);

port.on("message", (message: ToHeart) => {
  handle(message).then(
    (epoch) => send({ kind: "done", request: message.request, epoch }),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      const cause = error instanceof LostError ? "lost" : "unavailable";
      send({
        kind: "failed",
        request: message.request,
        cause,
        message: isRefusal(error) ? reason : connectionError || reason,
      });
    },
  );
});
