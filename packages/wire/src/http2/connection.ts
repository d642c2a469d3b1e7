import type { Duplex } from "node:stream";
import { CompressionError } from "../hpack/compression-error.ts";
import { HeaderDecoder, type HeaderLimits } from "../hpack/header-decoder.ts";
import { HeaderEncoder } from "../hpack/header-encoder.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { ConnectionError, StreamError } from "./http2-error.ts";
import { errorCode, largestWindow, protocolWindow, setting } from "./protocol.ts";
import { ReceiveFlow } from "./receive-flow.ts";
import { SendQueue } from "./send-queue.ts";
import type { Setting } from "./settings.ts";
import { Http2Stream, type StreamHandler, type StreamHost } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Who a connection's events are for. */
export interface ConnectionHandler {
  /** A request, on a server: its streams' events go to what this returns. */
  onStream?(stream: Http2Stream, fields: readonly string[]): StreamHandler;
  /** The peer takes no further streams. Those above `lastStream` were never processed, and are reset with REFUSED_STREAM. */
  onGoaway?(lastStream: number, code: number): void;
  /** There is room for streams again, or more of it. */
  onRoom?(): void;
  /** The connection is over, and with it all of its streams; `error` says why, unless it ended in peace. */
  onClose(error: Error | undefined): void;
}

export interface ConnectionOptions {
  readonly role: "client" | "server";
  readonly socket: Duplex;
  readonly handler: ConnectionHandler;
  /** Of what the peer sends; default 16 KiB and 100 fields. */
  readonly headerLimits?: HeaderLimits;
  /** Streams that the peer may have open at once; default 100. */
  readonly maxConcurrentStreams?: number;
  /** What each stream may have unread at first, in octets; default 256 KiB. It grows with the connection's bandwidth-delay product. */
  readonly initialWindow?: number;
  readonly clock?: { now(): number };
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const defaultLimits: HeaderLimits = { maxListBytes: 16_384, maxFields: 100 };
/** Of DATA that is written to a socket that has not taken what came before. */
const socketQueue = 256 * 1024;

/** One end of an HTTP/2 connection (RFC 9113), over a socket that is connected and stays with it. */
export class Http2Connection implements FrameHandler, StreamHost {
  readonly writer: FrameWriter;
  readonly #role: "client" | "server";
  readonly #socket: Duplex;
  readonly #handler: ConnectionHandler;
  readonly #encoder = new HeaderEncoder();
  readonly #decoder: HeaderDecoder;
  readonly #reader: FrameReader;
  readonly #streams: StreamTable<Http2Stream>;
  readonly #sendQueue: SendQueue;
  readonly #maxConcurrentStreams: number;
  readonly #receiveFlow: ReceiveFlow;
  #prefaceRead = 0;
  #hasSettings = false;
  #peerStreamWindow = protocolWindow;
  #peerMaxStreams = Number.POSITIVE_INFINITY;
  #draining = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    const { role, socket, handler, headerLimits = defaultLimits, clock = performance } = options;
    const { maxConcurrentStreams = 100, initialWindow = 262_144 } = options;
    this.#role = role;
    this.#socket = socket;
    this.#handler = handler;
    this.#maxConcurrentStreams = maxConcurrentStreams;
    this.#decoder = new HeaderDecoder(headerLimits);
    // A block that breaks the list's limit is still read when it is not much larger, so that only its stream ends.
    this.#reader = new FrameReader(this, { maxHeaderBlockBytes: 4 * headerLimits.maxListBytes });
    this.writer = new FrameWriter(this.#encoder, () => void setImmediate(() => this.#flush()));
    this.#receiveFlow = new ReceiveFlow(this.writer, initialWindow, clock);
    this.#streams = new StreamTable(role);
    this.#sendQueue = new SendQueue(
      this.writer,
      () => this.#closed || socket.writableNeedDrain || this.writer.length > socketQueue,
    );
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#sendQueue.run());
    socket.on("end", () =>
      this.#close(this.#streams.size > 0 ? new Error("the peer ended the connection") : undefined),
    );
    socket.on("error", (error) => this.#close(error));
    socket.on("close", () => this.#close(this.#streams.size > 0 ? new Error("the connection was lost") : undefined));
    if (role === "client") socket.write(preface);
    this.writer.settings([
      ...(role === "client" ? [[setting.enablePush, 0] as const] : []),
      [setting.maxConcurrentStreams, maxConcurrentStreams],
      [setting.initialWindowSize, initialWindow],
      [setting.maxHeaderListSize, headerLimits.maxListBytes],
    ]);
    this.#receiveFlow.announce();
  }

  /** How many streams this end may open now. */
  get room(): number {
    if (this.#closed || this.#draining || this.#streams.exhausted) return 0;
    return Math.max(0, this.#peerMaxStreams - this.#streams.size);
  }

  /** Opens a stream with a request, while there is `room`. Field names are lower case. */
  request(handler: StreamHandler, same: readonly string[], fields: readonly string[], endStream = false): Http2Stream {
    if (this.room === 0) throw new Error("the connection has no room for another stream");
    const window = this.#receiveFlow.streamWindow();
    const stream = new Http2Stream(this, this.#streams.takeNumber(), window, this.#peerStreamWindow);
    stream.handler = handler;
    this.#streams.add(stream);
    stream.sendHeaders(same, fields, endStream);
    return stream;
  }

  /** Takes no further streams; those that are open go on, and the connection ends with the last of them. */
  drain(): void {
    if (this.#closed || this.#draining) return;
    this.#draining = true;
    this.writer.goaway(this.#streams.lastOfPeer, errorCode.noError, "");
    this.#endWhenDrained();
  }

  /** Ends at once, with what is queued. */
  destroy(error?: Error): void {
    this.#close(error);
  }

  // What streams ask of their connection.

  sendQueued(stream: Http2Stream): void {
    this.#sendQueue.add(stream);
    this.#sendQueue.run();
  }

  ended(stream: Http2Stream): void {
    stream.localEnded = true;
    this.#forgetClosed(stream);
  }

  resetStream(stream: Http2Stream, code: number): void {
    this.writer.rstStream(stream.id, code);
    this.#streams.rememberReset(stream.id);
    this.#drop(stream);
  }

  consumed(stream: Http2Stream, octets: number): void {
    if (stream.dropped) return;
    this.#receiveFlow.consume(octets);
    const increment = stream.window.consume(octets);
    if (increment > 0 && !stream.remoteEnded) this.writer.windowUpdate(stream.id, increment);
  }

  // What the peer's frames say.

  onHeaders(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.#needSettings();
    const { fields, tooLarge, problem } = this.#decoder.decode(bytes, start, end);
    const stream = this.#streams.get(id) ?? this.#openedByPeer(id);
    if (stream === undefined) return;
    this.#guard(stream, () => {
      if (tooLarge) throw new StreamError(errorCode.enhanceYourCalm, "the header list is too large");
      if (problem !== undefined) throw new StreamError(errorCode.protocolError, problem);
      if (stream.hasHead || this.#role === "client") stream.takeHeaders(fields, endStream);
      else stream.takeRequest(fields, () => this.#handler.onStream?.(stream, fields));
      if (endStream) this.#peerEnds(stream);
    });
  }

  onData(id: number, bytes: Buffer, start: number, end: number, padding: number, endStream: boolean): void {
    this.#needSettings();
    const octets = end - start + padding;
    this.#receiveFlow.receive(octets);
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#streams.checkOpened(id, "DATA");
      this.#streams.checkReset(id, "DATA");
      this.#receiveFlow.consume(octets);
    } else {
      this.#guard(stream, () => {
        stream.takeData(bytes, start, end, padding);
        if (endStream) this.#peerEnds(stream);
      });
    }
  }

  onRstStream(id: number, code: number): void {
    this.#streams.checkOpened(id, "RST_STREAM");
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#drop(stream);
    stream.handler.onReset(code, "the peer reset the stream");
  }

  onSettings(settings: readonly Setting[]): void {
    this.#hasSettings = true;
    for (const [id, value] of settings) {
      if (id === setting.headerTableSize) this.#encoder.allowTableSize(value);
      else if (id === setting.maxConcurrentStreams) this.#peerMaxStreams = value;
      else if (id === setting.initialWindowSize) this.#changePeerWindow(value);
      else if (id === setting.maxFrameSize) this.writer.maxFrameSize = value;
    }
    this.writer.settingsAck();
    this.#sendQueue.run();
    this.#handler.onRoom?.();
  }

  onSettingsAck(): void {
    this.#needSettings();
  }

  onPing(bytes: Buffer, start: number, ack: boolean): void {
    this.#needSettings();
    if (!ack) {
      this.writer.ping(bytes.subarray(start, start + 8), true);
      return;
    }
    this.#receiveFlow.pingAnswered(bytes, start, () => this.#streams.all().map(({ window }) => window));
  }

  onGoaway(lastStream: number, code: number): void {
    this.#needSettings();
    this.#draining = true;
    for (const stream of this.#streams.all()) {
      if (stream.id <= lastStream || !this.#streams.isOwn(stream.id)) continue;
      this.#drop(stream);
      stream.handler.onReset(errorCode.refusedStream, "the peer goes away, and has not processed the stream");
    }
    this.#handler.onGoaway?.(lastStream, code);
    this.#endWhenDrained();
  }

  onWindowUpdate(id: number, increment: number): void {
    this.#needSettings();
    if (id === 0) {
      this.#sendQueue.grow(increment);
      this.#sendQueue.run();
      return;
    }
    this.#streams.checkOpened(id, "WINDOW_UPDATE");
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#guard(stream, () => {
      stream.sendWindow += increment;
      if (stream.sendWindow > largestWindow)
        throw new StreamError(errorCode.flowControlError, "the stream's window grows above 2^31-1");
      if (stream.queuedBytes > 0) this.sendQueued(stream);
    });
  }

  onIgnored(): void {
    this.#needSettings();
  }

  #peerEnds(stream: Http2Stream): void {
    stream.takeEnd();
    this.#forgetClosed(stream);
  }

  /** A stream that is not known: a new one of the peer's, or undefined for one whose frames mean nothing any more. */
  #openedByPeer(id: number): Http2Stream | undefined {
    if (this.#role === "client" || this.#streams.isOwn(id)) this.#streams.checkOpened(id, "HEADERS");
    if (this.#role === "client" || id <= this.#streams.lastOfPeer) {
      this.#streams.checkReset(id, "HEADERS");
      return undefined;
    }
    this.#streams.lastOfPeer = id;
    // Refused is what was never processed: its client sends it elsewhere, also when our GOAWAY has not reached it yet.
    if (this.#draining || this.#streams.size >= this.#maxConcurrentStreams) {
      this.writer.rstStream(id, errorCode.refusedStream);
      this.#streams.rememberReset(id);
      return undefined;
    }
    const stream = new Http2Stream(this, id, this.#receiveFlow.streamWindow(), this.#peerStreamWindow);
    this.#streams.add(stream);
    return stream;
  }

  /** What breaks one stream's rules ends that stream, and so does a handler that throws. */
  #guard(stream: Http2Stream, take: () => void): void {
    try {
      take();
    } catch (error) {
      if (error instanceof ConnectionError) throw error;
      const code = error instanceof StreamError ? error.code : errorCode.internalError;
      if (!stream.closed) this.resetStream(stream, code);
      stream.handler.onReset(code, error instanceof StreamError ? error.message : "its handler failed");
    }
  }

  #needSettings(): void {
    if (!this.#hasSettings) throw new ConnectionError(errorCode.protocolError, "the first frame is not SETTINGS");
  }

  #changePeerWindow(size: number): void {
    for (const stream of this.#streams.all()) {
      stream.sendWindow += size - this.#peerStreamWindow;
      if (stream.sendWindow > largestWindow)
        throw new ConnectionError(errorCode.flowControlError, "INITIAL_WINDOW_SIZE makes a window larger than 2^31-1");
      if (stream.queuedBytes > 0) this.#sendQueue.add(stream);
    }
    this.#peerStreamWindow = size;
  }

  #flush(): void {
    if (this.#closed) return;
    const pieces = this.writer.take();
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
    this.#sendQueue.run();
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    try {
      const rest = this.#role === "server" ? this.#readPreface(chunk) : chunk;
      this.#reader.read(rest);
    } catch (error) {
      this.#fail(error);
    }
  }

  #readPreface(chunk: Buffer): Buffer {
    const left = preface.length - this.#prefaceRead;
    if (left === 0) return chunk;
    const read = Math.min(left, chunk.length);
    if (preface.compare(chunk, 0, read, this.#prefaceRead, this.#prefaceRead + read) !== 0)
      throw new ConnectionError(errorCode.protocolError, "the connection does not begin with the preface of HTTP/2");
    this.#prefaceRead += read;
    return chunk.subarray(read);
  }

  #fail(error: unknown): void {
    const code =
      error instanceof ConnectionError
        ? error.code
        : error instanceof CompressionError
          ? errorCode.compressionError
          : errorCode.internalError;
    const known = error instanceof ConnectionError || error instanceof CompressionError;
    this.writer.goaway(this.#streams.lastOfPeer, code, known ? error.message : "");
    this.#flush();
    this.#close(error instanceof Error ? error : new Error("the connection failed", { cause: error }));
  }

  #forgetClosed(stream: Http2Stream): void {
    if (!stream.closed || !this.#streams.delete(stream)) return;
    this.#sendQueue.delete(stream);
    this.#handler.onRoom?.();
    this.#endWhenDrained();
  }

  /** Ends a stream on both sides; what its handler has not consumed needs no memory any more. */
  #drop(stream: Http2Stream): void {
    stream.drop();
    this.#receiveFlow.consume(stream.window.unread);
    this.#forgetClosed(stream);
  }

  #endWhenDrained(): void {
    if (!this.#draining || this.#closed || this.#streams.size > 0) return;
    this.#flush();
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.end(() => this.#socket.destroy());
    for (const stream of this.#streams.all()) {
      this.#streams.delete(stream);
      stream.drop();
      stream.handler.onReset(undefined, error?.message ?? "the connection was closed");
    }
    this.#handler.onClose(error);
  }
}
