import { checkFrameHead } from "./frame-rules.ts";
import { ConnectionError } from "./http2-error.ts";
import { defaultMaxFrameSize, errorCode, flag, frameHeadBytes, frameType } from "./protocol.ts";
import { checkSetting, type Setting } from "./settings.ts";

/** What the frames of a connection say, in the order in which they came. Octets are only lent: whoever keeps them copies them. */
export interface FrameHandler {
  /** The connection is over: what is left of a chunk means nothing. */
  readonly isOver?: boolean;
  /** A header block, all of its CONTINUATION frames included. */
  onHeaders(stream: number, bytes: Buffer, start: number, end: number, endStream: boolean): void;
  /**
   * A piece of a DATA frame, as it came from the socket. `padding` are octets beside it that count for flow control; `endStream`
   * is true with the frame's last piece.
   */
  onData(stream: number, bytes: Buffer, start: number, end: number, padding: number, endStream: boolean): void;
  onRstStream(stream: number, code: number): void;
  onSettings(settings: readonly Setting[]): void;
  onSettingsAck(): void;
  /** `bytes` holds 8 octets from `start`. */
  onPing(bytes: Buffer, start: number, ack: boolean): void;
  onGoaway(lastStream: number, code: number, debugData: string): void;
  /** Stream 0 is the connection. */
  onWindowUpdate(stream: number, increment: number): void;
  /** PRIORITY, and frames of kinds that nobody here knows: they mean nothing, but a flood of them is one. */
  onIgnored(): void;
}

export interface FrameReaderOptions {
  /** Our SETTINGS_MAX_FRAME_SIZE; default 16,384. */
  readonly maxFrameSize?: number;
  /** Octets of a header block, compressed, that are collected at most. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one header block at most, since an empty one adds no octets; default 16. */
  readonly maxContinuations?: number;
}

interface HeaderBlock {
  readonly stream: number;
  readonly endStream: boolean;
  readonly fragments: Buffer[];
  octets: number;
}

/**
 * Takes a connection apart into frames, over any chunking of its octets. What breaks a frame's rules throws ConnectionError,
 * after which the reader is of no use. Copied are only frames that come in more than one chunk, and no DATA unless it is padded.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maxFrameSize: number;
  readonly #maxHeaderBlockBytes: number;
  readonly #maxContinuations: number;
  /** A head or a whole frame, of which only the beginning has come. */
  #begun: Buffer | undefined;
  #begunLength = 0;
  /** What is left of a DATA frame of which only the beginning has come. */
  #dataLeft = 0;
  #dataStream = 0;
  #dataEnds = false;
  /** A block that goes on in the next frame. */
  #block: HeaderBlock | undefined;
  #framesBegun = 0;

  constructor(handler: FrameHandler, options: FrameReaderOptions) {
    this.#handler = handler;
    this.#maxFrameSize = options.maxFrameSize ?? defaultMaxFrameSize;
    this.#maxHeaderBlockBytes = options.maxHeaderBlockBytes;
    this.#maxContinuations = options.maxContinuations ?? 16;
  }

  /** Whether a frame, or a header block, has begun and is not there whole. */
  get isWithinFrame(): boolean {
    return this.#begun !== undefined || this.#dataLeft > 0 || this.#block !== undefined;
  }

  /** Frames so far, a header block counted as one. */
  get framesBegun(): number {
    return this.#framesBegun;
  }

  /** The next octets of the connection. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.#handler.isOver !== true; ) {
      if (this.#dataLeft > 0) at = this.#continueData(chunk, at);
      else if (this.#begun !== undefined) at = this.#continueFrame(this.#begun, chunk, at);
      else if (chunk.length - at < frameHeadBytes) at = this.#keep(chunk, at, frameHeadBytes);
      else at = this.#openFrame(chunk, at);
    }
  }

  /** Keeps the beginning of something that takes so many octets. */
  #keep(bytes: Buffer, at: number, octets: number): number {
    this.#begun = Buffer.allocUnsafe(octets);
    this.#begunLength = bytes.copy(this.#begun, 0, at);
    return bytes.length;
  }

  #continueData(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#dataLeft, chunk.length);
    this.#dataLeft -= end - at;
    this.#handler.onData(this.#dataStream, chunk, at, end, 0, this.#dataEnds && this.#dataLeft === 0);
    return end;
  }

  #continueFrame(begun: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(begun, this.#begunLength, at);
    this.#begunLength += copied;
    if (this.#begunLength < begun.length) return at + copied;
    this.#begun = undefined;
    this.#openFrame(begun, 0);
    return at + copied;
  }

  /** The head is there whole; the rest may follow in other chunks. Returns where the reading goes on. */
  #openFrame(bytes: Buffer, at: number): number {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const type = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const stream = readUint31(bytes, at + 5);
    const start = at + frameHeadBytes;
    const end = start + length;
    this.#checkHead(type, length, stream);
    if (this.#block === undefined) this.#framesBegun += 1;
    if (type === frameType.data && (flags & flag.padded) === 0) {
      this.#dataLeft = length;
      this.#dataStream = stream;
      this.#dataEnds = (flags & flag.endStream) !== 0;
      if (length === 0) this.#handler.onData(stream, bytes, start, start, 0, this.#dataEnds);
      return start;
    }
    if (end > bytes.length) return this.#keep(bytes, at, end - at);
    this.#take(type, flags, stream, bytes, start, end);
    return end;
  }

  #checkHead(type: number, length: number, stream: number): void {
    if (length > this.#maxFrameSize)
      throw new ConnectionError(errorCode.frameSizeError, `a frame of ${length} octets, above ${this.#maxFrameSize}`);
    if (
      this.#block ? type !== frameType.continuation || stream !== this.#block.stream : type === frameType.continuation
    )
      throw new ConnectionError(
        errorCode.protocolError,
        "a header block and its CONTINUATION are not one after the other",
      );
    checkFrameHead(type, length, stream);
  }

  #take(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frameType.data: {
        const [from, to] = withoutPadding(flags, bytes, start, end);
        const padding = end - start - (to - from);
        this.#handler.onData(stream, bytes, from, to, padding, (flags & flag.endStream) !== 0);
        return;
      }
      case frameType.headers: {
        const [from, to] = withoutPadding(flags, bytes, start, end);
        const block = (flags & flag.priority) === 0 ? from : withoutPriority(stream, bytes, from, to);
        this.#takeHeaders(flags, stream, bytes, block, to);
        return;
      }
      case frameType.continuation:
        this.#takeContinuation(flags, bytes, start, end);
        return;
      case frameType.priority:
        withoutPriority(stream, bytes, start, end);
        this.#handler.onIgnored();
        return;
      case frameType.rstStream:
        this.#handler.onRstStream(stream, bytes.readUInt32BE(start));
        return;
      case frameType.settings:
        this.#takeSettings(flags, bytes, start, end);
        return;
      case frameType.ping:
        this.#handler.onPing(bytes, start, (flags & flag.ack) !== 0);
        return;
      case frameType.goaway:
        this.#handler.onGoaway(
          readUint31(bytes, start),
          bytes.readUInt32BE(start + 4),
          bytes.toString("utf8", start + 8, end),
        );
        return;
      case frameType.windowUpdate: {
        const increment = readUint31(bytes, start);
        if (increment === 0)
          throw new ConnectionError(errorCode.protocolError, `WINDOW_UPDATE of 0 on stream ${stream}`);
        this.#handler.onWindowUpdate(stream, increment);
        return;
      }
      default:
        this.#handler.onIgnored();
    }
  }

  #takeHeaders(flags: number, stream: number, bytes: Buffer, start: number, end: number): void {
    const endStream = (flags & flag.endStream) !== 0;
    this.#checkBlock(end - start, 0);
    if ((flags & flag.endHeaders) !== 0) this.#handler.onHeaders(stream, bytes, start, end, endStream);
    else this.#block = { stream, endStream, fragments: [copyOf(bytes, start, end)], octets: end - start };
  }

  #takeContinuation(flags: number, bytes: Buffer, start: number, end: number): void {
    const block = this.#block as HeaderBlock;
    block.fragments.push(copyOf(bytes, start, end));
    block.octets += end - start;
    this.#checkBlock(block.octets, block.fragments.length - 1);
    if ((flags & flag.endHeaders) === 0) return;
    this.#block = undefined;
    this.#handler.onHeaders(block.stream, Buffer.concat(block.fragments), 0, block.octets, block.endStream);
  }

  /** A block that is not read would leave the peer's table unknown, so one that is too large ends the connection. */
  #checkBlock(octets: number, continuations: number): void {
    if (octets <= this.#maxHeaderBlockBytes && continuations <= this.#maxContinuations) return;
    throw new ConnectionError(
      errorCode.enhanceYourCalm,
      `a header block of ${octets} octets in ${continuations + 1} frames`,
    );
  }

  #takeSettings(flags: number, bytes: Buffer, start: number, end: number): void {
    if ((flags & flag.ack) !== 0) {
      if (end > start)
        throw new ConnectionError(errorCode.frameSizeError, "an acknowledgement of SETTINGS with settings");
      this.#handler.onSettingsAck();
      return;
    }
    const settings: Setting[] = [];
    for (let at = start; at < end; at += 6) {
      const one: Setting = [bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2)];
      checkSetting(one);
      settings.push(one);
    }
    this.#handler.onSettings(settings);
  }
}

function readUint31(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) & 0x7fff_ffff;
}

function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end));
}

function withoutPadding(flags: number, bytes: Buffer, start: number, end: number): readonly [number, number] {
  if ((flags & flag.padded) === 0) return [start, end];
  if (start === end) throw new ConnectionError(errorCode.frameSizeError, "a padded frame without the padding's length");
  const to = end - (bytes[start] as number);
  if (to <= start) throw new ConnectionError(errorCode.protocolError, "more padding than the frame has octets");
  return [start + 1, to];
}

/** Priorities were given up (RFC 9113 section 5.3): only their form is looked at. */
function withoutPriority(stream: number, bytes: Buffer, start: number, end: number): number {
  if (end - start < 5) throw new ConnectionError(errorCode.frameSizeError, "HEADERS end within their priority");
  if (readUint31(bytes, start) === stream)
    throw new ConnectionError(errorCode.protocolError, `stream ${stream} depends on itself`);
  return start + 5;
}
