import { gzip } from "node:zlib";
import type { Http2Stream } from "../http2/stream.ts";
import { frameMessage } from "./message-reader.ts";

/** Smaller messages are not worth the time that it takes. */
const compressedFrom = 1_024;

/** What follows the messages of a side. */
export interface Trailers {
  readonly same: readonly string[];
  readonly fields: readonly string[];
}

type Pending = { frame: Buffer | undefined } | Trailers | "end";

/** The messages of one side of a call, on their way to its stream, compressed if it is wished, in their order. */
export class Outflow {
  readonly #compress: boolean;
  readonly #onDrained: () => void;
  #stream: Http2Stream | undefined;
  /** Behind a message that is being compressed, or for a stream that is not there yet. */
  readonly #pending: Pending[] = [];

  /** `onDrained` is called after a `send` that answered false, when there is room again. */
  constructor(compress: boolean, onDrained: () => void) {
    this.#compress = compress;
    this.#onDrained = onDrained;
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
    const frame = frameMessage(bytes, false);
    if (this.#stream !== undefined && this.#pending.length === 0) return this.#stream.sendData(frame, last);
    this.#pending.push({ frame });
    if (last) this.#pending.push("end");
    return false;
  }

  /** There is nothing more: half of the stream is closed, with trailers or without. */
  end(trailers: Trailers | "end"): void {
    this.#pending.push(trailers);
    this.#run();
  }

  #compressed(bytes: Uint8Array, last: boolean): void {
    const place: { frame: Buffer | undefined } = { frame: undefined };
    this.#pending.push(place);
    if (last) this.#pending.push("end");
    gzip(bytes, (error, compressed) => {
      // Deflate has no failure that plain octets don't survive.
      place.frame = error === null ? frameMessage(compressed, true) : frameMessage(bytes, false);
      this.#run();
    });
  }

  #run(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#pending.length === 0) return;
    let roomy = true;
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      if (next === "end") stream.sendData(nothing, true);
      else if ("same" in next) stream.sendTrailers(next.same, next.fields);
      else if (next.frame === undefined) return;
      else {
        const last = this.#pending[1] === "end";
        if (last) this.#pending.shift();
        roomy = stream.sendData(next.frame, last);
      }
      this.#pending.shift();
    }
    if (roomy) this.#onDrained();
  }
}

const nothing = new Uint8Array(0);
