import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { backoffMs, pause } from "@weft/store";
import type { Logger } from "@weft/telemetry";
import { BrokerUnavailable } from "../broker.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { parseServers } from "./servers.ts";

export interface ConnectionOptions {
  /** nats://host:port, several separated by commas; nats://user:password@host:port where NATS asks for that. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly logger: Logger;
  readonly random: () => number;
  /** Opens a connection to the servers; the NATS client's own by default. */
  readonly dial?: typeof connect;
}

export interface Session {
  readonly client: JetStreamClient;
  readonly publisher: Publisher;
  readonly manager: JetStreamManager;
  /** Aborts when the connection is lost: the server that is there next may be one that forgot what it had given out. */
  readonly lost: AbortSignal;
}

export interface Connection {
  /** The session while the server is there; throws BrokerUnavailable otherwise. */
  session(): Session;
  /** Waits for the server. */
  ready(signal: AbortSignal): Promise<Session>;
  onAvailable(callback: () => void): () => void;
  close(): Promise<void>;
}

const connectTimeoutMs = 2_000;
const publishTimeoutMs = 3_000;
/** A stream of a cluster that has no leader for the moment doesn't answer, and neither will it later: short, so that its next leader is asked soon. */
const questionTimeoutMs = 1_000;

/** Connects in the background and reconnects for ever, also after the client gave a connection up, so that a service starts, and lives on, while NATS is away. */
export function openConnection({ url, name, logger, random, dial = connect }: ConnectionOptions): Connection {
  const closing = new AbortController();
  const callbacks = new Set<() => void>();
  let connection: NatsConnection | undefined;
  let means: Omit<Session, "lost"> | undefined;
  let session: Session | undefined;
  let losing = new AbortController();

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      try {
        const opened = await open();
        failures = 0;
        await follow(opened);
        if (!closing.signal.aborted) logger.warn({}, "the connection to NATS was closed for good: opening another");
      } catch (error) {
        if (failures === 0 && !closing.signal.aborted)
          logger.warn({ error }, "NATS can't be reached: trying again until it can");
      } finally {
        becomeUnavailable();
        means?.publisher.close();
        means = undefined;
        await connection?.close().catch(() => undefined);
        connection = undefined;
      }
      failures += 1;
      await pause(backoffMs(failures, { baseMs: 100, maxMs: 1_000, random }), closing.signal).catch(() => undefined);
    }
  }

  async function open(): Promise<NatsConnection> {
    const opened = await dial({
      ...parseServers(url),
      name,
      timeout: connectTimeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      ignoreAuthErrorAbort: true,
      // A server that hangs is noticed within 10 s.
      pingInterval: 5_000,
      maxPingOut: 1,
      noAsyncTraces: true,
    });
    connection = opened;
    closing.signal.throwIfAborted();
    const manager = await jetstreamManager(opened, { timeout: questionTimeoutMs, checkAPI: false });
    const publisher = createPublisher(opened, publishTimeoutMs);
    means = { client: jetstream(opened, { timeout: questionTimeoutMs }), publisher, manager };
    becomeAvailable();
    return opened;
  }

  function becomeAvailable(): void {
    if (!means) return;
    becomeUnavailable();
    losing = new AbortController();
    session = { ...means, lost: losing.signal };
    logger.info({}, "connected to NATS");
    for (const callback of callbacks) callback();
  }

  function becomeUnavailable(): void {
    session = undefined;
    losing.abort(new BrokerUnavailable("the connection to NATS was lost"));
  }

  async function follow(opened: NatsConnection): Promise<void> {
    for await (const status of opened.status()) {
      if (status.type === "disconnect" && session) {
        becomeUnavailable();
        means?.publisher.abandon(losing.signal.reason);
        if (!closing.signal.aborted) logger.warn({}, "the connection to NATS was lost: connecting again");
      } else if (status.type === "reconnect") {
        becomeAvailable();
      }
    }
  }

  const running = run();
  return {
    session() {
      if (!session) throw new BrokerUnavailable("NATS can't be reached");
      return session;
    },
    async ready(signal) {
      if (session) return session;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stopped = AbortSignal.any([signal, closing.signal]);
      const abort = (): void => reject(stopped.reason);
      callbacks.add(resolve);
      stopped.addEventListener("abort", abort);
      try {
        stopped.throwIfAborted();
        await promise;
      } finally {
        callbacks.delete(resolve);
        stopped.removeEventListener("abort", abort);
      }
      return this.session();
    },
    onAvailable(callback) {
      callbacks.add(callback);
      if (session) callback();
      return () => void callbacks.delete(callback);
    },
    async close() {
      closing.abort(new BrokerUnavailable("the broker's connection is closed"));
      session = undefined;
      // Sends what is buffered, acknowledgements among it.
      await connection?.flush().catch(() => undefined);
      await connection?.close();
      await running;
    },
  };
}
