import { GrpcFrameError, grpcCode } from "./status.ts";

/** A flag octet and a length of four (grpc/grpc doc/PROTOCOL-HTTP2.md). */
export const prefixBytes = 5;
/** What is held for a message at first, whatever length it claims. */
const firstBytes = 16_384;
const compressedFlag = 1;

/**
 * Takes the DATA of a stream apart into messages, over any chunking. One that comes in one piece is lent as it is, and not copied.
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #onMessage: (bytes: Buffer, compressed: boolean) => void;
  readonly #prefix = Buffer.allocUnsafe(prefixBytes);
  #prefixRead = 0;
  /** Of the message that has begun. */
  #length = 0;
  #message: Buffer | undefined;
  #messageRead = 0;

  /** `maxBytes`: a message may have so many octets, as they are on the wire. */
  constructor(maxBytes: number, onMessage: (bytes: Buffer, compressed: boolean) => void) {
    this.#maxBytes = maxBytes;
    this.#onMessage = onMessage;
  }

  /** Whether a message has begun and is not there yet: a stream that ends now is broken. */
  get isWithinMessage(): boolean {
    return this.#prefixRead > 0;
  }

  /** Throws GrpcFrameError, before anything is held for the message that breaks the rules. */
  read(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end || this.#isComplete; ) {
      if (this.#prefixRead < prefixBytes) at = this.#readPrefix(bytes, at, end);
      else at = this.#readMessage(bytes, at, end);
    }
  }

  /** A message of no octets is there with its prefix. */
  get #isComplete(): boolean {
    return this.#prefixRead === prefixBytes && this.#length === 0;
  }

  #readPrefix(bytes: Buffer, at: number, end: number): number {
    const copied = bytes.copy(this.#prefix, this.#prefixRead, at, end);
    this.#prefixRead += copied;
    if (this.#prefixRead === prefixBytes) {
      const flags = this.#prefix[0] as number;
      if (flags > compressedFlag)
        throw new GrpcFrameError(
          grpcCode.internal,
          `a message has the flags 0x${flags.toString(16)}, which nobody knows`,
        );
      this.#length = this.#prefix.readUInt32BE(1);
      if (this.#length > this.#maxBytes)
        throw new GrpcFrameError(
          grpcCode.resourceExhausted,
          `a message of ${this.#length} octets is larger than the ${this.#maxBytes} allowed`,
        );
    }
    return at + copied;
  }

  #readMessage(bytes: Buffer, at: number, end: number): number {
    const to = Math.min(end, at + this.#length - this.#messageRead);
    if (this.#message === undefined && to - at === this.#length) {
      this.#deliver(bytes.subarray(at, to));
      return to;
    }
    const message = this.#room(this.#messageRead + to - at);
    bytes.copy(message, this.#messageRead, at, to);
    this.#messageRead += to - at;
    if (this.#messageRead === this.#length) this.#deliver(message.subarray(0, this.#length));
    return to;
  }

  /** Grows with what has come, not with what was claimed. */
  #room(octets: number): Buffer {
    const before = this.#message;
    if (before !== undefined && before.length >= octets) return before;
    const size = Math.min(this.#length, Math.max(octets, firstBytes, 2 * (before?.length ?? 0)));
    this.#message = Buffer.allocUnsafeSlow(size);
    before?.copy(this.#message, 0, 0, this.#messageRead);
    return this.#message;
  }

  #deliver(message: Buffer): void {
    const compressed = this.#prefix[0] === compressedFlag;
    this.#prefixRead = 0;
    this.#length = 0;
    this.#message = undefined;
    this.#messageRead = 0;
    this.#onMessage(message, compressed);
  }
}

/** A message with its prefix, as one piece. */
export function frameMessage(message: Uint8Array, compressed: boolean): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = compressed ? compressedFlag : 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  return framed;
}
