import { ConnectionError } from "./http2-error.ts";
import { errorCode } from "./protocol.ts";

/** What a client says first (RFC 9113 section 3.4). */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Takes it off the beginning of a connection's octets, over any chunking. */
export class PrefaceReader {
  #read = 0;

  /** What is left of the chunk. Throws ConnectionError for another beginning. */
  take(chunk: Buffer): Buffer {
    const left = preface.length - this.#read;
    if (left === 0) return chunk;
    const read = Math.min(left, chunk.length);
    if (preface.compare(chunk, 0, read, this.#read, this.#read + read) !== 0)
      throw new ConnectionError(errorCode.protocolError, "the connection does not begin with the preface of HTTP/2");
    this.#read += read;
    return chunk.subarray(read);
  }
}
