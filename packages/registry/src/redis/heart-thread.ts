import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { parseRedisUrl } from "./address.ts";
import { describeAddress, openConnection } from "./connection.ts";
import { isDenial } from "./denial.ts";
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
class DeniedError extends Error {}

const { username = "default" } = parseRedisUrl(data.url);
const pulse = createPulseReader(data.pulse);
const ttlMs = 3 * data.heartbeatMs;
const leases = new Map<number, HeldLease>();
let lastTicks = pulse.ticks();
let lastTickAt = performance.now();
let asleep = false;
let connectionError = "";
/** What was last said of a lease that Redis refuses, so that it isn't told with every beat; forgotten once a beat went well. */
const refusals = new Map<number, string>();

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

/** Writes the lease to Redis as it is now. Throws LostError when a newer registration has its id, DeniedError when Redis refuses it. */
async function beat({ registration, epoch, state }: HeldLease): Promise<string> {
  const { service, instance } = registration;
  const load = pulse.load();
  const eventLoopDelayMs = Math.max(load.eventLoopDelayMs, blockedForMs() - data.heartbeatMs);
  const said = [instance, epoch, state, encodeFacts(registration), encodeLoad({ ...load, eventLoopDelayMs })];
  const args = [...said, ttlMs, channelOf(service), data.mostInstances];
  const [verdict, holder = ""] = (await allowed(service, beatScript.run(redis, keysOf(service), args))) as string[];
  if (verdict === "lost") throw new LostError(`epoch ${holder} took the id`);
  if (verdict === "full") {
    throw new DeniedError(
      `${service} has ${data.mostInstances} instances, the most that it may have; raise maxInstances in all processes, or find out who registers so many`,
    );
  }
  return holder;
}

/** Waits for a write to a service's keys, and says what to do where Redis's ACL forbids it. */
async function allowed<T>(service: string, writing: Promise<T>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    if (!isDenial(error)) throw error;
    throw new DeniedError(
      `its user "${username}" may not register ${service} (${error.message}); register services of your own, or give the user the rules of aclRules(…)`,
    );
  }
}

/** Beats for a lease that is held, and tells its owner when it is lost. */
async function renew(lease: HeldLease): Promise<string> {
  try {
    const epoch = await beat(lease);
    refusals.delete(lease.id);
    return epoch;
  } catch (error) {
    if (error instanceof LostError && leases.delete(lease.id)) send({ kind: "lost", id: lease.id });
    if (error instanceof DeniedError) logRefusal(lease.id, error.message);
    throw error;
  }
}

async function remove({ registration, epoch }: HeldLease): Promise<void> {
  const { service, instance } = registration;
  const left = await releaseScript.run(redis, keysOf(service), [instance, epoch, channelOf(service)]);
  // A registration at this very moment may lose its index entry, and has it back with its next beat.
  if (left === 0) await redis.zrem(servicesKey, service);
}

function logRefusal(lease: number, message: string): void {
  if (message !== refusals.get(lease)) log("warn", `${describeAddress(data.url)} refuses: ${message}`);
  refusals.set(lease, message);
}

/** As many at once as nobody feels; further ones follow within the interval. */
const atOnce = 50;

/** Beats for every lease, once. */
async function beatAll(): Promise<void> {
  const held = [...leases.keys()];
  if (held.length === 0) return;
  if (blockedForMs() > data.blockedMs) {
    if (asleep) return;
    asleep = true;
    log(
      "warn",
      `the main thread has been blocked for ${Math.round(blockedForMs() / 1000)} s: its leases are dropped until it turns again`,
    );
    await Promise.allSettled([...leases.values()].map(remove));
    return;
  }
  if (asleep) log("info", "the main thread turns again: its leases are back");
  asleep = false;
  const services = new Set([...leases.values()].map((lease) => lease.registration.service));
  // Failures say nothing new here: the connection's own error was logged, and the next beat repairs what this one missed.
  indexScript.run(redis, [servicesKey], [ttlMs, ...services]).catch(() => {});
  const startedAt = performance.now();
  for (let i = 0; i < held.length; i += atOnce) {
    const dueAt = startedAt + (i / held.length) * data.heartbeatMs;
    if (dueAt > performance.now()) await sleep(dueAt - performance.now());
    for (const id of held.slice(i, i + atOnce)) {
      const lease = leases.get(id);
      if (lease !== undefined) renew(lease).catch(() => {});
    }
  }
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
      const { service } = lease.registration;
      // Each beat repairs the index, which may be another node's of a Cluster: nobody has to wait for it.
      await indexScript.run(redis, [servicesKey], [ttlMs, service]).catch(() => {});
      return epoch;
    } catch (error) {
      if (error instanceof LostError) leases.delete(lease.id);
      const isFinal = error instanceof LostError || error instanceof DeniedError || isRefusal(error);
      if (isFinal || performance.now() >= until) throw error;
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
      refusals.delete(message.id);
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
      const isDenied = error instanceof DeniedError;
      send({
        kind: "failed",
        request: message.request,
        cause: isDenied ? "denied" : error instanceof LostError ? "lost" : "unavailable",
        message: isDenied || isRefusal(error) ? reason : connectionError || reason,
      });
    },
  );
});
