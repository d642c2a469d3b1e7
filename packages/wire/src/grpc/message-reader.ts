import { GrpcFrameError, grpcCode } from "./status.ts";

/** A flag octet and a length of four (grpc/grpc doc/PROTOCOL-HTTP2.md). */
export const prefixBytes = 5;
/** What is held for a message at first, whatever length it claims. */
const firstBytes = 16_384;
const compressedFlag = 1;

/** Whom messages are for, as they are on the wire. */
export interface MessageSink {
  /** Lent. */
  takeMessage(bytes: Buffer, compressed: boolean): void;
}

/**
 * Takes the DATA of a stream apart into messages, over any chunking. One that comes in one piece is lent as it is, and not copied.
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #sink: MessageSink;
  #prefixRead = 0;
  #flags = 0;
  /** Of the message that has begun, as far as its prefix was read. */
  #length = 0;
  #message: Buffer | undefined;
  #messageRead = 0;

  /** `maxBytes`: a message may have so many octets, as they are on the wire. */
  constructor(maxBytes: number, sink: MessageSink) {
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** Whether a message has begun and is not there yet: a stream that ends now is broken. */
  get isWithinMessage(): boolean {
    return this.#prefixRead > 0;
  }

  /** Throws GrpcFrameError, before anything is held for the message that breaks the rules. */
  read(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (this.#prefixRead < prefixBytes) at = this.#readPrefix(bytes, at, end);
      // A message of no octets is there with its prefix.
      if (this.#prefixRead === prefixBytes && (at < end || this.#length === 0)) at = this.#readMessage(bytes, at, end);
    }
  }

  #readPrefix(bytes: Buffer, at: number, end: number): number {
    if (this.#prefixRead === 0) this.#flags = bytes[at] as number;
    const to = Math.min(end, at + prefixBytes - this.#prefixRead);
    // The flags stand in the upper octet, which is shifted out.
    let length = this.#length;
    for (let i = at; i < to; i++) length = (length << 8) | (bytes[i] as number);
    this.#length = length >>> 0;
    this.#prefixRead += to - at;
    if (this.#prefixRead === prefixBytes) this.#checkPrefix();
    return to;
  }

  #checkPrefix(): void {
    if (this.#flags > compressedFlag) {
      const flags = `0x${this.#flags.toString(16)}`;
      throw new GrpcFrameError(grpcCode.internal, `a message has the flags ${flags}, which nobody knows`);
    }
    if (this.#length > this.#maxBytes)
      throw new GrpcFrameError(
        grpcCode.resourceExhausted,
        `a message of ${this.#length} octets is larger than the ${this.#maxBytes} allowed`,
      );
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
    this.#prefixRead = 0;
    this.#length = 0;
    this.#message = undefined;
    this.#messageRead = 0;
    this.#sink.takeMessage(message, this.#flags === compressedFlag);
  }
}

/** Writes a message's prefix. */
export function writePrefix(target: Uint8Array, length: number, compressed: boolean): void {
  target[0] = compressed ? compressedFlag : 0;
  target[1] = length >>> 24;
  target[2] = length >>> 16;
  target[3] = length >>> 8;
  target[4] = length;
}

/** A message with its prefix, as one piece. */
export function frameMessage(message: Uint8Array, compressed: boolean): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  writePrefix(framed, message.length, compressed);
  framed.set(message, prefixBytes);
  return framed;
}
