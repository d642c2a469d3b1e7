import type { HeaderEncoder } from "../hpack/header-encoder.ts";
import { defaultMaxFrameSize, flag, frameHeadBytes, frameType } from "./protocol.ts";
import type { Setting } from "./settings.ts";
import { giveBackSlab, type Slab, takeSlab } from "./slabs.ts";

/** Payloads from this size on leave as they are; smaller ones are copied, so that a turn's frames leave in one piece. */
const copiedBelow = 4_096;

/**
 * Frames of a connection that wait for the end of the event loop's turn. Their rules are the caller's to keep (which streams,
 * which windows); what it writes leaves in the order in which it was written.
 */
export class FrameWriter {
  readonly #encoder: HeaderEncoder;
  readonly #onBegin: () => void;
  /** The peer's SETTINGS_MAX_FRAME_SIZE. */
  maxFrameSize = defaultMaxFrameSize;
  #slab: Slab | undefined;
  /** Where in the slab begins what is not in `#pieces` yet. */
  #start = 0;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  /** `onBegin` is called with the first frame after each `take`: whoever takes plans to do so again. */
  constructor(encoder: HeaderEncoder, onBegin: () => void) {
    this.#encoder = encoder;
    this.#onBegin = onBegin;
  }

  /** Octets that wait to be taken. */
  get length(): number {
    return this.#pieceBytes + (this.#slab ? this.#slab.at - this.#start : 0);
  }

  /**
   * A header block of the fields in `same`, a list that never changes, and then those of `fields`. In as many frames as the
   * peer's limit makes of it.
   */
  headers(stream: number, same: readonly string[], fields: readonly string[], endStream: boolean): void {
    const slab = this.#room(frameHeadBytes + this.#encoder.bound(same) + this.#encoder.bound(fields));
    const head = slab.at;
    const start = head + frameHeadBytes;
    const first = this.#encoder.encodeSame(same, slab.bytes, start);
    const end = this.#encoder.encode(fields, slab.bytes, first);
    const flags = endStream ? flag.endStream : 0;
    if (end - start <= this.maxFrameSize) {
      writeHead(slab.bytes, head, end - start, frameType.headers, flags | flag.endHeaders, stream);
      slab.at = end;
      return;
    }
    const block = Buffer.from(slab.bytes.subarray(start, end));
    for (let at = 0; at < block.length; at += this.maxFrameSize) {
      const last = at + this.maxFrameSize >= block.length;
      const type = at === 0 ? frameType.headers : frameType.continuation;
      const piece = block.subarray(at, at + this.maxFrameSize);
      this.#frame(type, (at === 0 ? flags : 0) | (last ? flag.endHeaders : 0), stream, piece);
    }
  }

  /** One DATA frame: no more octets than `maxFrameSize`. Those of `bytes` must not change any more; those of `prefix` may. */
  data(stream: number, bytes: Uint8Array, endStream: boolean, prefix: Uint8Array = nothing): void {
    this.#frame(frameType.data, endStream ? flag.endStream : 0, stream, bytes, prefix);
  }

  rstStream(stream: number, code: number): void {
    this.#number(frameType.rstStream, stream, code);
  }

  settings(settings: readonly Setting[]): void {
    const payload = Buffer.allocUnsafe(6 * settings.length);
    for (const [i, [id, value]] of settings.entries()) {
      payload.writeUInt16BE(id, 6 * i);
      payload.writeUInt32BE(value, 6 * i + 2);
    }
    this.#frame(frameType.settings, 0, 0, payload);
  }

  settingsAck(): void {
    this.#frame(frameType.settings, flag.ack, 0, nothing);
  }

  /** `payload` has 8 octets. */
  ping(payload: Uint8Array, ack: boolean): void {
    this.#frame(frameType.ping, ack ? flag.ack : 0, 0, payload);
  }

  goaway(lastStream: number, code: number, debugData: string): void {
    const text = Buffer.from(debugData);
    const payload = Buffer.allocUnsafe(8 + text.length);
    payload.writeUInt32BE(lastStream, 0);
    payload.writeUInt32BE(code, 4);
    text.copy(payload, 8);
    this.#frame(frameType.goaway, 0, 0, payload);
  }

  /** Stream 0 is the connection. */
  windowUpdate(stream: number, increment: number): void {
    this.#number(frameType.windowUpdate, stream, increment);
  }

  /** What has been written since it was last asked, in pieces that never change; nothing for nothing. */
  take(): readonly Buffer[] {
    this.#cut();
    const slab = this.#slab;
    this.#slab = undefined;
    if (slab) giveBackSlab(slab);
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#pieceBytes = 0;
    return pieces;
  }

  /** A slab with so much room behind what is written. */
  #room(octets: number): Slab {
    if (this.#slab && this.#slab.bytes.length - this.#slab.at >= octets) return this.#slab;
    if (this.#slab === undefined) this.#onBegin();
    this.#cut();
    this.#slab = takeSlab(octets);
    this.#start = this.#slab.at;
    return this.#slab;
  }

  #frame(type: number, flags: number, stream: number, payload: Uint8Array, prefix: Uint8Array = nothing): void {
    const copied = payload.length < copiedBelow;
    const slab = this.#room(frameHeadBytes + prefix.length + (copied ? payload.length : 0));
    slab.at = writeHead(slab.bytes, slab.at, prefix.length + payload.length, type, flags, stream);
    for (let i = 0; i < prefix.length; i++) slab.bytes[slab.at++] = prefix[i] as number;
    if (copied) {
      slab.bytes.set(payload, slab.at);
      slab.at += payload.length;
      return;
    }
    this.#cut();
    this.#add(Buffer.from(payload.buffer, payload.byteOffset, payload.length));
  }

  #number(type: number, stream: number, value: number): void {
    const slab = this.#room(frameHeadBytes + 4);
    slab.at = slab.bytes.writeUInt32BE(value, writeHead(slab.bytes, slab.at, 4, type, 0, stream));
  }

  /** What stands in the slab so far becomes a piece. */
  #cut(): void {
    const slab = this.#slab;
    if (slab === undefined || slab.at === this.#start) return;
    this.#add(slab.bytes.subarray(this.#start, slab.at));
    this.#start = slab.at;
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }
}

const nothing = Buffer.alloc(0);

/** Returns where the payload goes. */
function writeHead(bytes: Buffer, at: number, length: number, type: number, flags: number, stream: number): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  return bytes.writeUInt32BE(stream, at + 5);
}
