import { gzip } from "node:zlib";
import type { Http2Stream } from "../http2/stream.ts";
import { frameMessage, prefixBytes, writePrefix } from "./message-reader.ts";

/** Smaller messages are not worth the time that it takes. */
const compressedFrom = 1_024;

/** What follows the messages of a side. */
export interface Trailers {
  readonly same: readonly string[];
  readonly fields: readonly string[];
}

/** Who sends. */
export interface OutflowHandler {
  /** There is room again, after a `send` that answered false. */
  onDrained(): void;
}

type Pending = { frame: Buffer | undefined } | Trailers | "end";

/** The messages of one side of a call, on their way to its stream, compressed if it is wished, in their order. */
export class Outflow {
  readonly #handler: OutflowHandler;
  readonly #compress: boolean;
  #stream: Http2Stream | undefined;
  /** Behind a message that is being compressed, or for a stream that is not there yet. */
  #pending: Pending[] | undefined;

  constructor(handler: OutflowHandler, compress: boolean) {
    this.#handler = handler;
    this.#compress = compress;
  }

  /** The stream is there. */
  open(stream: Http2Stream): void {
    this.#stream = stream;
    this.#run();
  }

  /** The bytes must not change any more. False when the next should wait. */
  send(bytes: Uint8Array, last = false): boolean {
    if (this.#compress && bytes.length >= compressedFrom) {
      this.#compressed(bytes, last);
      return false;
    }
    if (this.#stream !== undefined && this.#isEmpty) {
      writePrefix(prefix, bytes.length, false);
      return this.#stream.sendData(bytes, last, prefix);
    }
    this.#postpone({ frame: frameMessage(bytes, false) });
    if (last) this.#postpone("end");
    return false;
  }

  /** There is nothing more: half of the stream is closed, with trailers or without. */
  end(end: Trailers | "end"): void {
    if (this.#stream !== undefined && this.#isEmpty) endStream(this.#stream, end);
    else this.#postpone(end);
  }

  get #isEmpty(): boolean {
    return this.#pending === undefined || this.#pending.length === 0;
  }

  #postpone(what: Pending): void {
    this.#pending ??= [];
    this.#pending.push(what);
  }

  #compressed(bytes: Uint8Array, last: boolean): void {
    const place: { frame: Buffer | undefined } = { frame: undefined };
    this.#postpone(place);
    if (last) this.#postpone("end");
    gzip(bytes, (error, compressed) => {
      // Deflate has no failure that plain octets don't survive.
      place.frame = error === null ? frameMessage(compressed, true) : frameMessage(bytes, false);
      this.#run();
    });
  }

  #run(): void {
    const stream = this.#stream;
    const pending = this.#pending;
    if (stream === undefined || pending === undefined || pending.length === 0) return;
    let roomy = true;
    for (let next = pending[0]; next !== undefined; next = pending[0]) {
      if (next === "end" || "same" in next) endStream(stream, next);
      else if (next.frame === undefined) return;
      else {
        const last = pending[1] === "end";
        if (last) pending.shift();
        roomy = stream.sendData(next.frame, last);
      }
      pending.shift();
    }
    if (roomy) this.#handler.onDrained();
  }
}

function endStream(stream: Http2Stream, end: Trailers | "end"): void {
  if (end === "end") stream.sendData(nothing, true);
  else stream.sendTrailers(end.same, end.fields);
}

const nothing = new Uint8Array(0);
/** Written anew for each message: the stream copies it. */
const prefix = new Uint8Array(prefixBytes);
