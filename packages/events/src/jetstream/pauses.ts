import { JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { backoffMs, pause } from "@weft/store";
import type { Logger } from "@weft/telemetry";
import type { Connection, Session } from "./connection.ts";
import { lacksNodes } from "./streams.ts";

/** Which consumers operators have paused: kept in a bucket, since a server of 2.9 can't pause one itself. */
export interface Pauses {
  /** Resolves when the consumer may be read from; waits for the server where nothing is known yet. */
  passed(stream: string, consumer: string, signal: AbortSignal): Promise<void>;
  /** Calls back when the consumer is paused. */
  onPause(stream: string, consumer: string, callback: () => void): () => void;
  isPaused(stream: string, consumer: string): Promise<boolean>;
  set(stream: string, consumer: string, paused: boolean): Promise<void>;
  close(): Promise<void>;
}

const bucket = "weft_paused";

export function openPauses(
  connection: Connection,
  replicas: number,
  { logger, random }: { readonly logger: Logger; readonly random: () => number },
): Pauses {
  const closing = new AbortController();
  const paused = new Set<string>();
  const changed = new Set<(key: string) => void>();
  let known = false;
  let following: Promise<void> | undefined;
  let watch: Awaited<ReturnType<KV["watch"]>> | undefined;

  const keyOf = (stream: string, consumer: string): string => `${stream}.${consumer}`;

  async function open({ client, manager }: Session): Promise<KV> {
    const kvm = new Kvm(client);
    const create = (replicas: number): Promise<KV> => kvm.create(bucket, { history: 1, replicas });
    const kv = await create(replicas).catch((error: unknown) => {
      // Too few servers for so many copies now: that is no reason to consume nothing.
      if (error instanceof JetStreamApiError && lacksNodes(error)) return create(1);
      throw error;
    });
    if ((await kv.status()).replicas < replicas) await addCopies(manager);
    return kv;
  }

  /** A bucket from a time with fewer. */
  async function addCopies(manager: JetStreamManager): Promise<void> {
    try {
      const { config } = await manager.streams.info(`KV_${bucket}`);
      await manager.streams.update(config.name, { ...config, num_replicas: replicas });
    } catch (error) {
      logger.warn({ error, replicas }, "what is paused has fewer copies than it should");
    }
  }

  async function follow(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      try {
        const kv = await open(await connection.ready(closing.signal));
        watch = await kv.watch();
        await readAll(kv);
        failures = 0;
        for await (const { key, operation } of watch) note(key, operation === "PUT");
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ error }, "what is paused can't be read: trying again");
      }
      failures += 1;
      await pause(backoffMs(failures, { baseMs: 100, maxMs: 5_000, random }), closing.signal).catch(() => undefined);
    }
  }

  async function readAll(kv: KV): Promise<void> {
    const present = new Set<string>();
    for await (const key of await kv.keys()) present.add(key);
    for (const key of [...paused, ...present]) note(key, present.has(key));
    known = true;
    tell("");
  }

  function note(key: string, isPaused: boolean): void {
    if (paused.has(key) === isPaused) return;
    if (isPaused) paused.add(key);
    else paused.delete(key);
    tell(key);
  }

  function tell(key: string): void {
    for (const callback of changed) callback(key);
  }

  return {
    async passed(stream, consumer, signal) {
      following ??= follow();
      const key = keyOf(stream, consumer);
      const mayPass = (): boolean => known && !paused.has(key);
      if (mayPass()) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (mayPass()) resolve();
      };
      const abort = (): void => reject(signal.reason);
      changed.add(look);
      signal.addEventListener("abort", abort);
      try {
        signal.throwIfAborted();
        await promise;
      } finally {
        changed.delete(look);
        signal.removeEventListener("abort", abort);
      }
    },
    onPause(stream, consumer, callback) {
      const own = keyOf(stream, consumer);
      const look = (key: string): void => {
        if (key === own && paused.has(own)) callback();
      };
      changed.add(look);
      return () => void changed.delete(look);
    },
    async isPaused(stream, consumer) {
      const entry = await (await open(connection.session())).get(keyOf(stream, consumer));
      return entry?.operation === "PUT";
    },
    async set(stream, consumer, isPaused) {
      const kv = await open(connection.session());
      if (isPaused) await kv.put(keyOf(stream, consumer), "");
      else await kv.purge(keyOf(stream, consumer));
    },
    async close() {
      closing.abort(new Error("the broker's connection is closed"));
      watch?.stop();
      await following;
    },
  };
}
