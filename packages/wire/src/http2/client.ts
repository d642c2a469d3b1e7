import type { Duplex } from "node:stream";
import { Http2Connection } from "./connection.ts";
import { type ConnectionLimits, meshLimits } from "./limits.ts";

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
  /** How long an attempt to connect may take, in milliseconds; default 5,000. */
  readonly connectTimeoutMs?: number;
  readonly clock?: { now(): number };
  readonly random?: () => number;
}

/** Between attempts to connect (as grpc/grpc doc/connection-backoff.md, for servers that are near). */
const backoff = { firstMs: 100, multiplier: 1.6, jitter: 0.2, mostMs: 10_000 };
const lookMs = 1_000;

/**
 * The way to one server: a connection that is opened when something is to be sent, and again when it was lost or its server goes away.
 * What finds no room waits for it; what finds no server, after an attempt that failed and until the next is due, is told so.
 */
export class Http2Client {
  readonly #options: Http2ClientOptions;
  readonly #clock: { now(): number };
  readonly #waiting = new Set<Waiting>();
  /** All that are open: the current one, and those that end with their last stream. */
  readonly #connections = new Set<Http2Connection>();
  #current: Http2Connection | undefined;
  #dialling: AbortController | undefined;
  #failures = 0;
  #retryAt = 0;
  #lastFailure = "";
  #looking: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: Http2ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? performance;
  }

  /** Starts it now if there is room, or as soon as there is. */
  run(waiting: Waiting): void {
    const current = this.#current;
    if (current !== undefined && current.room > 0 && this.#waiting.size === 0) {
      waiting.start(current);
      return;
    }
    const isIdle = current === undefined && this.#dialling === undefined;
    if (this.#isClosed || (isIdle && this.#clock.now() < this.#retryAt)) {
      waiting.unavailable(this.#isClosed ? "the client is closed" : this.#lastFailure);
      return;
    }
    this.#waiting.add(waiting);
    waiting.leave = () => void this.#waiting.delete(waiting);
    if (isIdle) void this.#dial();
  }

  /** Ends the connections, and what runs on them or waits. */
  close(): void {
    this.#isClosed = true;
    this.#dialling?.abort();
    this.#current = undefined;
    for (const connection of [...this.#connections]) connection.destroy(new Error("the client was closed"));
    this.#refuse("the client is closed");
  }

  async #dial(): Promise<void> {
    const dialling = new AbortController();
    this.#dialling = dialling;
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
    const gone = (): void => {
      if (this.#current !== connection) return;
      this.#current = undefined;
      if (this.#waiting.size > 0 && !this.#isClosed) void this.#dial();
    };
    const connection: Http2Connection = new Http2Connection({
      role: "client",
      socket,
      limits: this.#options.limits ?? meshLimits,
      clock: this.#clock,
      handler: {
        onRoom: () => {
          isReady = true;
          this.#failures = 0;
          if (this.#waiting.size > 0) this.#admit();
        },
        onGoaway: gone,
        onClose: (error) => {
          this.#connections.delete(connection);
          if (this.#connections.size === 0) clearInterval(this.#looking);
          if (isReady || this.#isClosed) gone();
          else {
            if (this.#current === connection) this.#current = undefined;
            this.#fail(error ?? new Error("the server ended the connection before it began"));
          }
        },
      },
    });
    if (this.#connections.size === 0) {
      this.#looking = setInterval(() => {
        for (const each of this.#connections) each.look();
      }, lookMs).unref();
    }
    this.#connections.add(connection);
    this.#current = connection;
    this.#admit();
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      const current = this.#current;
      if (current === undefined || current.room === 0) return;
      this.#waiting.delete(waiting);
      waiting.start(current);
    }
  }

  #fail(error: unknown): void {
    const { firstMs, multiplier, jitter, mostMs } = backoff;
    const random = this.#options.random ?? Math.random;
    const delay = Math.min(mostMs, firstMs * multiplier ** this.#failures) * (1 + jitter * (2 * random() - 1));
    this.#failures += 1;
    this.#retryAt = this.#clock.now() + delay;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
    this.#refuse(this.#lastFailure);
  }

  #refuse(reason: string): void {
    for (const waiting of [...this.#waiting]) {
      this.#waiting.delete(waiting);
      waiting.unavailable(reason);
    }
  }
}
