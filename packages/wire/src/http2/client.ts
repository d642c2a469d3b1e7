import type { Duplex } from "node:stream";
import { Http2Connection } from "./connection.ts";
import { type ConnectionLimits, meshLimits } from "./limits.ts";
import { outsideOfCalls } from "./outside-of-calls.ts";
import { errorCode } from "./protocol.ts";

/** What waits for a connection with room for a stream. */
export interface Waiting {
  /** To be called when it does not want to wait any more; set while it waits. */
  leave: (() => void) | undefined;
  start(connection: Http2Connection): void;
  /** There is no connection, and none is tried right now. */
  unavailable(reason: string): void;
}

export interface Http2ClientOptions {
  /** Resolves with a socket that is connected, on which the server speaks HTTP/2. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly limits?: ConnectionLimits;
  /** So many connections are opened where each has all the streams that the server allows; default 1. */
  readonly maxConnections?: number;
  /** How long an attempt to connect may take, in milliseconds; default 5,000. */
  readonly connectTimeoutMs?: number;
  readonly clock?: { now(): number };
  readonly random?: () => number;
}

/** Between attempts to connect (as grpc/grpc doc/connection-backoff.md, for servers that are near). */
const backoff = { firstMs: 100, multiplier: 1.6, jitter: 0.2, mostMs: 10_000 };
const lookMs = 1_000;
/** A connection on which no stream was opened for so long, and none is open, is closed: beside another one, and the last one. */
const idle = { surplusMs: 10_000, lastMs: 300_000 };

/**
 * The way to one server: a connection that is opened when something is to be sent, and again when it was lost or its server goes away; and
 * others beside it while it is full. What finds no room waits for it; what finds no server, after an attempt that failed and until the
 * next is due, is told so.
 */
export class Http2Client {
  readonly #options: Http2ClientOptions;
  readonly #clock: { now(): number };
  readonly #waiting = new Set<Waiting>();
  /** All that are open: those that take streams, and those that end with their last one. */
  readonly #connections = new Set<Http2Connection>();
  /** Those that take streams, the first opened first. */
  #usable: readonly Http2Connection[] = [];
  /** When each of them was last seen in use, and how many streams it had opened by then. */
  readonly #used = new Map<Http2Connection, { at: number; opened: number }>();
  /** The one of them whose server has not said yet how many it takes. */
  #beginning: Http2Connection | undefined;
  #dialling: AbortController | undefined;
  #failures = 0;
  #retryAt = 0;
  #lastFailure = "";
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** The server found more of them too many, on a connection before. */
  #leastPingIntervalMs = 0;

  constructor(options: Http2ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? performance;
  }

  /** Starts it now if there is room, or as soon as there is. */
  run(waiting: Waiting): void {
    if (this.#waiting.size === 0) {
      const roomy = this.#roomy();
      if (roomy !== undefined) {
        waiting.start(roomy);
        return;
      }
    }
    const isIdle = this.#usable.length === 0 && this.#dialling === undefined;
    if (this.#isClosed || (isIdle && this.#clock.now() < this.#retryAt)) {
      waiting.unavailable(this.#isClosed ? "the client is closed" : this.#lastFailure);
      return;
    }
    this.#waiting.add(waiting);
    waiting.leave = () => void this.#waiting.delete(waiting);
    if (isIdle || this.#wantsAnother()) this.#dial();
  }

  /** How many connections are open, and what waits for one. */
  getState(): { readonly connections: number; readonly waiting: number } {
    return { connections: this.#connections.size, waiting: this.#waiting.size };
  }

  /** Ends the connections, and what runs on them or waits. */
  close(): void {
    this.#isClosed = true;
    this.#dialling?.abort();
    this.#usable = [];
    for (const connection of [...this.#connections]) connection.destroy(new Error("the client was closed"));
    this.#refuse("the client is closed");
  }

  #roomy(): Http2Connection | undefined {
    for (const connection of this.#usable) {
      // The first one is used before its server has said how much it takes, which saves a round trip; but not one beside others that are full.
      const isTooEarly = connection === this.#beginning && this.#usable.length > 1;
      if (connection.room > 0 && !isTooEarly) return connection;
    }
    return undefined;
  }

  /** Something waits, since all that are open are full. */
  #wantsAnother(): boolean {
    if (this.#dialling !== undefined || this.#beginning !== undefined) return false;
    return this.#usable.length < (this.#options.maxConnections ?? 1) && this.#clock.now() >= this.#retryAt;
  }

  #dial(): void {
    const dialling = new AbortController();
    this.#dialling = dialling;
    void outsideOfCalls(() => this.#open(dialling));
  }

  async #open(dialling: AbortController): Promise<void> {
    const timeoutMs = this.#options.connectTimeoutMs ?? 5_000;
    const timeout = setTimeout(() => dialling.abort(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    try {
      const socket = await this.#options.dial(dialling.signal);
      this.#dialling = undefined;
      if (this.#isClosed) socket.destroy();
      else this.#take(socket);
    } catch (error) {
      this.#dialling = undefined;
      this.#fail(dialling.signal.aborted ? dialling.signal.reason : error);
    } finally {
      clearTimeout(timeout);
    }
  }

  #take(socket: Duplex): void {
    let isReady = false;
    const leave = (): void => this.#leave(connection);
    const gone = (): void => {
      if (!this.#usable.includes(connection)) return;
      leave();
      if (this.#usable.length === 0 && this.#waiting.size > 0 && !this.#isClosed) this.#dial();
    };
    const limits = this.#options.limits ?? meshLimits;
    const pingIntervalMs = Math.max(limits.pingIntervalMs, this.#leastPingIntervalMs);
    const connection: Http2Connection = new Http2Connection({
      role: "client",
      socket,
      limits: { ...limits, pingIntervalMs },
      clock: this.#clock,
      handler: {
        onRoom: () => {
          isReady = true;
          if (this.#beginning === connection) this.#beginning = undefined;
          this.#failures = 0;
          if (this.#waiting.size > 0) this.#admit();
        },
        onGoaway: (_lastStream, code, debugData) => {
          // gRFC A8: the next connection asks half as often.
          if (code === errorCode.enhanceYourCalm && debugData === "too_many_pings")
            this.#leastPingIntervalMs = Math.max(this.#leastPingIntervalMs, 2 * connection.pingIntervalMs);
          gone();
        },
        onClose: (error) => {
          this.#connections.delete(connection);
          if (this.#connections.size === 0) clearInterval(this.#looking);
          if (isReady || this.#isClosed) gone();
          else {
            leave();
            this.#fail(error ?? new Error("the server ended the connection before it began"));
          }
        },
      },
    });
    if (this.#connections.size === 0) {
      this.#looking = setInterval(() => {
        for (const each of this.#connections) each.look();
        this.#closeIdle();
      }, lookMs).unref();
    }
    this.#connections.add(connection);
    this.#usable = [...this.#usable, connection];
    if (!isReady) this.#beginning = connection;
    this.#admit();
  }

  #leave(connection: Http2Connection): void {
    if (this.#beginning === connection) this.#beginning = undefined;
    this.#usable = this.#usable.filter((each) => each !== connection);
    this.#used.delete(connection);
  }

  #closeIdle(): void {
    // They may want it.
    if (this.#waiting.size > 0) return;
    const now = this.#clock.now();
    // The last opened first: the others fill up before it.
    for (const connection of this.#usable.toReversed()) {
      const { openStreams, openedStreams: opened } = connection;
      const used = this.#used.get(connection);
      if (used === undefined || openStreams > 0 || opened > used.opened) {
        this.#used.set(connection, { at: now, opened });
        continue;
      }
      if (now - used.at < (this.#usable.length > 1 ? idle.surplusMs : idle.lastMs)) continue;
      this.#leave(connection);
      connection.drain();
    }
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      const roomy = this.#roomy();
      if (roomy === undefined) {
        if (this.#wantsAnother()) this.#dial();
        return;
      }
      this.#waiting.delete(waiting);
      waiting.start(roomy);
    }
  }

  #fail(error: unknown): void {
    const { firstMs, multiplier, jitter, mostMs } = backoff;
    const random = this.#options.random ?? Math.random;
    const delay = Math.min(mostMs, firstMs * multiplier ** this.#failures) * (1 + jitter * (2 * random() - 1));
    this.#failures += 1;
    this.#retryAt = this.#clock.now() + delay;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
    // Beside one that is well, another that can't be had is no reason to refuse.
    if (this.#usable.length === 0) this.#refuse(this.#lastFailure);
  }

  #refuse(reason: string): void {
    for (const waiting of [...this.#waiting]) {
      this.#waiting.delete(waiting);
      waiting.unavailable(reason);
    }
  }
}
