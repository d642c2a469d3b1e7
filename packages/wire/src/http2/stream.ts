import type { FrameWriter } from "./frame-writer.ts";
import { StreamError } from "./http2-error.ts";
import { type RequestHead, readRequestHead, readResponseHead, trailersProblem } from "./message-head.ts";
import { errorCode } from "./protocol.ts";
import type { ReceiveWindow } from "./receive-window.ts";

/** Who a stream's events are for. After `onEnd` or `onReset` nothing more comes. Octets are only lent. */
export interface StreamHandler {
  /**
   * The header list of a response; those with a status below 200 are left out. `isAll`: there is nothing but it. The list of a request
   * comes with the stream.
   */
  onHeaders?(fields: readonly string[], isAll: boolean): void;
  /** To be answered by `consume`, now or later: until then the octets count against the stream's window. */
  onData(bytes: Buffer, start: number, end: number): void;
  onTrailers(fields: readonly string[]): void;
  /** The peer's side is complete. */
  onEnd(): void;
  /** The stream ended before its time: by the peer (one of `errorCode`), or with its connection, which leaves no code. */
  onReset(code: number | undefined, reason: string): void;
  /** `sendData` had answered false, and all that was queued has left. */
  onDrained(): void;
}

/** Who a server's requests are for. */
export interface RequestHandler {
  /** A request: its stream's events go to what this returns. */
  onStream?(stream: Http2Stream, head: RequestHead, fields: readonly string[]): StreamHandler;
}

/** What a stream asks of its connection. */
export interface StreamHost {
  readonly writer: FrameWriter;
  takesHeaders(...lists: readonly (readonly string[])[]): boolean;
  /**
   * Writes a DATA frame at once, if windows, queue and socket allow; false when they don't. The octets of `prefix`, which stand before
   * the others, may change afterwards.
   */
  sendNow(stream: Http2Stream, prefix: Uint8Array, bytes: Uint8Array, endStream: boolean): boolean;
  /** So many octets more wait in the stream's queue. */
  sendQueued(stream: Http2Stream, octets: number): void;
  /** Our end of the stream was written. */
  ended(stream: Http2Stream): void;
  resetStream(stream: Http2Stream, code: number): void;
  consumed(stream: Http2Stream, octets: number): void;
  released(stream: Http2Stream): void;
}

interface Queued {
  readonly bytes: Uint8Array;
  /** Of which so many have left. */
  sent: number;
}

/** A request and its response, on one of a connection's two ends (RFC 9113 section 5.1). */
export class Http2Stream {
  readonly id: number;
  readonly window: ReceiveWindow;
  handler: StreamHandler = untended;
  /** What the peer may be sent; below zero when it made its windows smaller meanwhile. */
  sendWindow: number;
  localEnded = false;
  remoteEnded = false;
  /** Its end came before its time: what is unread was given back. */
  dropped = false;
  /** The peer's first header list is there. */
  hasHead = false;
  /** The peer is to send its side whole within the limit for what stands still: a request of one message. */
  wholeRequest = false;
  /** The same for taking ours: a response of one message. */
  wholeResponse = false;
  /** Its handler runs: also when it is closed, it counts as open until `release`. */
  held = false;

  readonly #connection: StreamHost;
  /** What the peer's content-length still expects; undefined where it named none. */
  #expected: number | undefined;
  #queue: Queued[] = none;
  #queuedBytes = 0;
  /** The application was told to wait. */
  #isFull = false;
  #endQueued = false;
  #trailersQueued: readonly string[] | undefined;
  #sentOctets = 0;
  /** None yet: the first look begins to count. */
  #sentSeen = -1;
  #sentSince = 0;
  #openSince: number | undefined;

  constructor(connection: StreamHost, id: number, window: ReceiveWindow, sendWindow: number) {
    this.#connection = connection;
    this.id = id;
    this.window = window;
    this.sendWindow = sendWindow;
  }

  /** Octets of `sendData` that wait for the peer's window or the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get closed(): boolean {
    return this.localEnded && this.remoteEnded;
  }

  /** Whether the peer takes a header list of these fields. */
  takesHeaders(...lists: readonly (readonly string[])[]): boolean {
    return this.#connection.takesHeaders(...lists);
  }

  /** A list that never changes, and more fields. Names are lower case, and the characters of values are octets. */
  sendHeaders(same: readonly string[], fields: readonly string[], endStream = false): void {
    if (this.localEnded) return;
    this.#connection.writer.headers(this.id, same, fields, endStream);
    if (endStream) this.#connection.ended(this);
  }

  /**
   * The bytes must not change any more; those of `prefix`, which go before them, may. False when they have to wait: then `onDrained`
   * tells when there is room again.
   */
  sendData(bytes: Uint8Array, endStream = false, prefix = nothing): boolean {
    if (this.localEnded || this.#endQueued) return true;
    if (this.#queue.length === 0) {
      if (bytes.length === 0 && prefix.length === 0) {
        // No window is needed for the end alone.
        if (endStream) this.#writeData(bytes, true);
        return true;
      }
      if (this.#connection.sendNow(this, prefix, bytes, endStream)) return true;
    }
    const all = prefix.length === 0 ? bytes : Buffer.concat([prefix, bytes]);
    if (this.#queue === none) this.#queue = [];
    this.#queue.push({ bytes: all, sent: 0 });
    this.#queuedBytes += all.length;
    this.#endQueued = endStream;
    this.#connection.sendQueued(this, all.length);
    this.#isFull = this.#queuedBytes > 0;
    return !this.#isFull;
  }

  /** The last header list, behind all data. */
  sendTrailers(same: readonly string[], fields: readonly string[] = []): void {
    if (this.localEnded || this.#endQueued) return;
    if (this.#queuedBytes === 0) this.sendHeaders(same, fields, true);
    else {
      this.#trailersQueued = [...same, ...fields];
      this.#endQueued = true;
    }
  }

  /** Ends the stream on both sides at once; what is queued is dropped. */
  reset(code: number): void {
    if (this.closed) return;
    this.#connection.resetStream(this, code);
  }

  /** Octets of `onData` that need no memory any more: the peer may send as many again. */
  consume(octets: number): void {
    this.#connection.consumed(this, octets);
  }

  /** The handler runs from now on. */
  hold(): void {
    this.held = true;
  }

  /** The handler has ended. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    this.#connection.released(this);
  }

  /** Why the stream stands still since too long; asked about once a second. */
  look(now: number, stalledMs: number, stalledStreamMs: number): string | undefined {
    if (this.#sentOctets !== this.#sentSeen || this.#queuedBytes === 0) {
      this.#sentSeen = this.#sentOctets;
      this.#sentSince = now;
    } else if (now - this.#sentSince >= (this.wholeResponse ? stalledMs : stalledStreamMs))
      return "the peer does not take what it is sent";
    if (!this.wholeRequest || this.remoteEnded) return undefined;
    this.#openSince ??= now;
    return now - this.#openSince >= stalledMs ? "the request did not come whole in time" : undefined;
  }

  /** Writes what the stream's window allows, at most so many octets, which no frame exceeds; returns how many it wrote. */
  writeQueued(most: number): number {
    let written = 0;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const allowed = Math.max(0, Math.min(most - written, this.sendWindow));
      const length = Math.min(next.bytes.length - next.sent, allowed);
      if (length === 0 && next.bytes.length > next.sent) break;
      const whole = next.sent + length === next.bytes.length;
      const ends = whole && this.#queue.length === 1 && this.#endQueued && this.#trailersQueued === undefined;
      const piece = length === next.bytes.length ? next.bytes : next.bytes.subarray(next.sent, next.sent + length);
      next.sent += length;
      written += length;
      this.sendWindow -= length;
      this.#queuedBytes -= length;
      this.#sentOctets += length;
      if (whole) this.#queue.shift();
      this.#writeData(piece, ends);
    }
    if (this.#queue.length === 0 && this.#trailersQueued !== undefined) {
      this.sendHeaders([], this.#trailersQueued, true);
      this.#trailersQueued = undefined;
    }
    return written;
  }

  #writeData(bytes: Uint8Array, endStream: boolean): void {
    this.#connection.writer.data(this.id, bytes, endStream);
    if (endStream) this.#connection.ended(this);
  }

  // What the peer's frames say of the stream. All of these throw StreamError for what is malformed.

  takeRequest(fields: readonly string[], server: RequestHandler): void {
    const head = readRequestHead(fields);
    if (typeof head === "string") throw new StreamError(errorCode.protocolError, head);
    this.hasHead = true;
    this.#expected = head.contentLength;
    this.handler = server.onStream?.(this, head, fields) ?? untended;
  }

  /** Of a response, or the trailers of either. */
  takeHeaders(fields: readonly string[], endStream: boolean): void {
    if (this.remoteEnded) throw new StreamError(errorCode.streamClosed, "HEADERS after the end");
    if (!this.hasHead) {
      this.#takeResponse(fields, endStream);
      return;
    }
    if (!endStream) throw new StreamError(errorCode.protocolError, "a second header list that does not end the stream");
    const problem = trailersProblem(fields);
    if (problem !== undefined) throw new StreamError(errorCode.protocolError, problem);
    this.handler.onTrailers(fields);
  }

  takeData(bytes: Buffer, start: number, end: number, padding: number): void {
    this.window.receive(end - start + padding);
    if (this.remoteEnded) throw new StreamError(errorCode.streamClosed, "DATA after the end");
    if (!this.hasHead) throw new StreamError(errorCode.protocolError, "DATA before HEADERS");
    if (this.#expected !== undefined) this.#expected -= end - start;
    if (this.#expected !== undefined && this.#expected < 0)
      throw new StreamError(errorCode.protocolError, "more DATA than content-length says");
    if (end > start) this.handler.onData(bytes, start, end);
    if (padding > 0) this.consume(padding);
  }

  takeEnd(): void {
    if (this.#expected !== undefined && this.#expected > 0)
      throw new StreamError(errorCode.protocolError, "less DATA than content-length says");
    this.remoteEnded = true;
    this.handler.onEnd();
  }

  #takeResponse(fields: readonly string[], endStream: boolean): void {
    const head = readResponseHead(fields);
    if (typeof head === "string") throw new StreamError(errorCode.protocolError, head);
    if (head.status < 200) {
      if (endStream) throw new StreamError(errorCode.protocolError, `the response ends with the status ${head.status}`);
      return;
    }
    this.hasHead = true;
    // The length of what was not asked for (HEAD, 304) counts nothing.
    this.#expected = endStream ? undefined : head.contentLength;
    this.handler.onHeaders?.(fields, endStream);
  }

  /** After a turn of the connection's queue. */
  tellDrained(): void {
    if (!this.#isFull || this.#queuedBytes > 0) return;
    this.#isFull = false;
    try {
      this.handler.onDrained();
    } catch {
      this.reset(errorCode.internalError);
      this.handler.onReset(errorCode.internalError, "its handler failed");
    }
  }

  /** Both sides end here and now, and nothing more of it is written or given back. */
  drop(): void {
    this.localEnded = true;
    this.remoteEnded = true;
    this.dropped = true;
    this.#queue = none;
    this.#queuedBytes = 0;
    this.#trailersQueued = undefined;
  }
}

const nothing = new Uint8Array(0);
/** Most streams never have anything to queue. */
const none: Queued[] = [];

/** What a server's stream has until its request was told of; a client gives its own at once. */
const untended: StreamHandler = {
  onData() {},
  onTrailers() {},
  onEnd() {},
  onReset() {},
  onDrained() {},
};
