import type { Duplex } from "node:stream";
import { CompressionError } from "../hpack/compression-error.ts";
import { fieldSize } from "../hpack/field-size.ts";
import { HeaderDecoder } from "../hpack/header-decoder.ts";
import { HeaderEncoder } from "../hpack/header-encoder.ts";
import { Allowance } from "./allowance.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { ConnectionError, StreamError } from "./http2-error.ts";
import { type ConnectionLimits, meshLimits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Output } from "./output.ts";
import { PrefaceReader, preface } from "./preface.ts";
import { errorCode, errorName, largestWindow, protocolWindow, setting } from "./protocol.ts";
import { ReceiveFlow } from "./receive-flow.ts";
import { SendQueue } from "./send-queue.ts";
import type { Setting } from "./settings.ts";
import { Http2Stream, type RequestHandler, type StreamHandler, type StreamHost } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Who a connection's events are for. */
export interface ConnectionHandler extends RequestHandler {
  /** The peer takes no further streams. Those above `lastStream` were never processed, and are reset with REFUSED_STREAM. */
  onGoaway?(lastStream: number, code: number, debugData: string): void;
  /** There is room for streams again, or more of it. */
  onRoom?(): void;
  /** The connection is over, and with it all of its streams; `error` says why, unless it ended in peace. */
  onClose(error: Error | undefined): void;
}

export interface ConnectionOptions {
  readonly role: "client" | "server";
  readonly socket: Duplex;
  readonly handler: ConnectionHandler;
  /** Default: those among services that know each other. */
  readonly limits?: ConnectionLimits;
  /** What each stream may have unread at first, in octets; default 256 KiB. It grows with the connection's bandwidth-delay product. */
  readonly initialWindow?: number;
  readonly clock?: { now(): number };
}

/** How often a server of ours takes PINGs while it is silent itself, in milliseconds. */
const takesPingMs = 1_000;
/** Asks whether a client has seen that the connection goes away. */
const farewell = Buffer.from("weft-bye");
/** How long its answer may take, in milliseconds. */
const farewellMs = 2_000;

/** One end of an HTTP/2 connection (RFC 9113), over a socket that is connected and stays with it. */
export class Http2Connection implements FrameHandler, StreamHost {
  readonly writer: FrameWriter;
  readonly #role: "client" | "server";
  readonly #socket: Duplex;
  readonly #handler: ConnectionHandler;
  readonly #limits: ConnectionLimits;
  readonly #clock: { now(): number };
  readonly #encoder = new HeaderEncoder();
  readonly #decoder: HeaderDecoder;
  readonly #reader: FrameReader;
  readonly #streams: StreamTable<Http2Stream>;
  readonly #sendQueue: SendQueue;
  readonly #receiveFlow: ReceiveFlow;
  readonly #controlFrames: Allowance;
  readonly #resets: Allowance | undefined;
  readonly #liveness: Liveness;
  readonly #output: Output;
  /** Of a server. */
  readonly #preface: PrefaceReader | undefined;
  #hasSettings = false;
  #peerStreamWindow = protocolWindow;
  /** Of a header list. What is sensible until it says so itself: most servers refuse more. */
  #peerMaxHeaderBytes = 65_536;
  #sentSeen = -1;
  /** What is sensible until it says so itself. */
  #peerMaxStreams = 100;
  /** Since when the peer is asked whether it knows that the connection goes away. */
  #farewellAt: number | undefined;
  #draining = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    const { role, socket, handler, limits = meshLimits, initialWindow = 262_144, clock = performance } = options;
    this.#role = role;
    this.#socket = socket;
    this.#handler = handler;
    this.#limits = limits;
    this.#clock = clock;
    this.#decoder = new HeaderDecoder(limits.headers);
    // A block that breaks the list's limit is still read when it is not much larger, so that only its stream ends.
    const maxHeaderBlockBytes = 4 * limits.headers.maxListBytes;
    this.#reader = new FrameReader(this, { maxHeaderBlockBytes, maxContinuations: limits.maxContinuations });
    this.#output = new Output(socket, this.#encoder, () => this.#flushed());
    this.writer = this.#output.writer;
    if (role === "server") this.#preface = new PrefaceReader();
    this.#receiveFlow = new ReceiveFlow(this.writer, initialWindow, limits.maxUnreadBytes, clock);
    this.#controlFrames = new Allowance(limits.maxControlFrames, 100, clock);
    if (Number.isFinite(limits.maxResets)) this.#resets = new Allowance(limits.maxResets, limits.maxResets, clock);
    this.#liveness = new Liveness(limits, socket, this.#reader, this.writer);
    this.#streams = new StreamTable(role);
    this.#sendQueue = new SendQueue(
      this.writer,
      () => this.#output.isBlocked,
      // What we send is answered by updates of the stream's window and of the connection's, for so many octets each at least.
      (octets) => this.#controlFrames.earn(2 * (1 + octets / 4_096)),
    );
    this.#listen(socket);
    if (role === "client") socket.write(preface);
    this.writer.settings([
      ...(role === "client" ? [[setting.enablePush, 0] as const] : []),
      [setting.maxConcurrentStreams, limits.maxConcurrentStreams],
      [setting.initialWindowSize, initialWindow],
      [setting.maxHeaderListSize, limits.headers.maxListBytes],
      ...(role === "server" ? [[setting.pingInterval, takesPingMs] as const] : []),
    ]);
    this.#receiveFlow.announce();
  }

  #listen(socket: Duplex): void {
    const lost = (why: string) => (): void => this.#close(this.#streams.size > 0 ? new Error(why) : undefined);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => {
      this.#sendQueue.run();
      if (socket.isPaused()) socket.resume();
    });
    socket.on("end", lost("the peer ended the connection"));
    socket.on("error", (error) => this.#close(error));
    socket.on("close", lost("the connection was lost"));
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
    // That was the last number: who wants another stream needs another connection.
    if (this.#streams.exhausted) {
      this.#draining = true;
      this.#handler.onGoaway?.(largestWindow, errorCode.noError, "");
    }
    return stream;
  }

  /** Streams that this end has opened so far. */
  get openedStreams(): number {
    return this.#streams.opened;
  }

  /** How long the peer is silent, with streams open, before it is asked whether it lives, in milliseconds. */
  get pingIntervalMs(): number {
    return this.#liveness.pingIntervalMs;
  }

  /** Streams that are open. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /**
   * Takes no further streams; those that are open go on, and the connection ends with the last of them. A client that has requests on
   * their way is told first that it goes away, and only when it knows which of them were taken (RFC 9113 section 6.8).
   */
  drain(): void {
    if (this.#closed || this.#draining || this.#farewellAt !== undefined) return;
    if (this.#role === "client" || !this.#hasSettings) {
      this.#endDrain();
      return;
    }
    this.#farewellAt = this.#clock.now();
    this.writer.goaway(largestWindow, errorCode.noError, "");
    this.writer.ping(farewell, false);
  }

  #endDrain(): void {
    this.#farewellAt = undefined;
    this.#draining = true;
    this.writer.goaway(this.#streams.lastOfPeer, errorCode.noError, "");
    this.#endWhenDrained();
  }

  /** To be called about once a second: ends what stands still, and asks a silent peer whether it lives. */
  look(): void {
    if (this.#closed) return;
    const now = this.#clock.now();
    const dead = this.#liveness.look(now, this.#hasSettings, this.#streams.size > 0);
    if (dead !== undefined) {
      this.#fail(new ConnectionError(errorCode.enhanceYourCalm, dead));
      // What is left would wait for the same peer.
      this.#socket.destroy();
      return;
    }
    if (this.#isStuck()) {
      this.#fail(new ConnectionError(errorCode.enhanceYourCalm, "the peer doesn't take what it asked for"));
      return;
    }
    if (this.#farewellAt !== undefined && now - this.#farewellAt >= farewellMs) this.#endDrain();
    if (this.#streams.size > 0) this.#lookAtStreams(now);
  }

  /** More waits than may, and nothing has left since the last look. */
  #isStuck(): boolean {
    const { sentBytes, queuedBytes } = this.#sendQueue;
    const stands = this.#role === "server" && queuedBytes > this.#limits.maxQueuedBytes && sentBytes === this.#sentSeen;
    this.#sentSeen = sentBytes;
    return stands;
  }

  #lookAtStreams(now: number): void {
    const { stalledMs, stalledStreamMs } = this.#limits;
    for (const stream of this.#streams.all()) {
      const stuck = stream.look(now, stalledMs, stalledStreamMs);
      if (stuck !== undefined) this.#breakStream(stream, errorCode.enhanceYourCalm, stuck);
    }
  }

  /** Ends at once, with what is queued. */
  destroy(error?: Error): void {
    this.#close(error);
  }

  /** Whether the peer takes a header list of these fields. */
  takesHeaders(...lists: readonly (readonly string[])[]): boolean {
    let octets = 0;
    for (const fields of lists) {
      for (let i = 0; i < fields.length; i += 2) octets += fieldSize(fields[i] as string, fields[i + 1] as string);
    }
    return octets <= this.#peerMaxHeaderBytes;
  }

  // What the reader asks.

  get isOver(): boolean {
    return this.#closed;
  }

  // What streams ask of their connection.

  sendNow(stream: Http2Stream, prefix: Uint8Array, bytes: Uint8Array, endStream: boolean): boolean {
    if (!this.#sendQueue.sendNow(stream, prefix, bytes, endStream)) return false;
    if (endStream) this.ended(stream);
    return true;
  }

  sendQueued(stream: Http2Stream, octets: number): void {
    this.#sendQueue.add(stream, octets);
    this.#sendQueue.run();
  }

  ended(stream: Http2Stream): void {
    stream.localEnded = true;
    this.#output.streamEnded();
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

  released(stream: Http2Stream): void {
    this.#streams.release(stream);
  }

  // What the peer's frames say.

  onHeaders(id: number, bytes: Buffer, start: number, end: number, endStream: boolean): void {
    this.#needSettings();
    this.#controlFrames.earn();
    const { fields, tooLarge, problem } = this.#decoder.decode(bytes, start, end);
    const stream = this.#streams.get(id) ?? this.#openedByPeer(id);
    if (stream === undefined) return;
    try {
      if (tooLarge) throw new StreamError(errorCode.enhanceYourCalm, "the header list is too large");
      if (problem !== undefined) throw new StreamError(errorCode.protocolError, problem);
      if (stream.hasHead || this.#role === "client") stream.takeHeaders(fields, endStream);
      else stream.takeRequest(fields, this.#handler);
      if (endStream) this.#peerEnds(stream);
    } catch (error) {
      this.#endBroken(stream, error);
    }
  }

  onData(id: number, bytes: Buffer, start: number, end: number, padding: number, endStream: boolean): void {
    this.#needSettings();
    const octets = end - start + padding;
    if (end > start) this.#controlFrames.earn();
    else if (!endStream) this.#controlFrames.spend("empty DATA");
    this.#receiveFlow.receive(octets);
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#streams.checkOpened(id, "DATA");
      this.#streams.checkReset(id, "DATA");
      this.#receiveFlow.consume(octets);
      return;
    }
    try {
      stream.takeData(bytes, start, end, padding);
      if (endStream) this.#peerEnds(stream);
    } catch (error) {
      this.#endBroken(stream, error);
    }
  }

  onRstStream(id: number, code: number): void {
    this.#streams.checkOpened(id, "RST_STREAM");
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    this.#resets?.spend("RST_STREAM");
    this.#drop(stream);
    stream.handler.onReset(code, `the peer reset the stream with ${errorName(code)}`);
  }

  onSettings(settings: readonly Setting[]): void {
    if (this.#hasSettings) this.#controlFrames.spend("SETTINGS");
    else this.#begin(settings);
    for (const [id, value] of settings) {
      if (id === setting.headerTableSize) this.#encoder.allowTableSize(value);
      else if (id === setting.maxConcurrentStreams) this.#peerMaxStreams = value;
      else if (id === setting.initialWindowSize) this.#changePeerWindow(value);
      else if (id === setting.maxFrameSize) this.writer.maxFrameSize = value;
      else if (id === setting.maxHeaderListSize) this.#peerMaxHeaderBytes = value;
    }
    this.writer.settingsAck();
    this.#sendQueue.run();
    this.#handler.onRoom?.();
  }

  #begin(settings: readonly Setting[]): void {
    this.#peerMaxStreams = Number.POSITIVE_INFINITY;
    this.#hasSettings = true;
    if (this.#role === "client") this.#liveness.spare(settings.find(([id]) => id === setting.pingInterval)?.[1]);
  }

  onSettingsAck(): void {
    this.#needSettings();
  }

  onPing(bytes: Buffer, start: number, ack: boolean): void {
    this.#needSettings();
    if (!ack) {
      this.#controlFrames.spend("PING");
      this.writer.ping(bytes.subarray(start, start + 8), true);
      return;
    }
    if (this.#farewellAt !== undefined && farewell.compare(bytes, start, start + 8) === 0) this.#endDrain();
    else this.#receiveFlow.pingAnswered(bytes, start, () => this.#streams.all().map(({ window }) => window));
  }

  onGoaway(lastStream: number, code: number, debugData: string): void {
    this.#needSettings();
    this.#draining = true;
    for (const stream of this.#streams.all()) {
      if (stream.id <= lastStream || !this.#streams.isOwn(stream.id)) continue;
      this.#drop(stream);
      stream.handler.onReset(errorCode.refusedStream, "the peer goes away, and has not processed the stream");
    }
    this.#handler.onGoaway?.(lastStream, code, debugData);
    this.#endWhenDrained();
  }

  onWindowUpdate(id: number, increment: number): void {
    this.#needSettings();
    this.#controlFrames.spend("WINDOW_UPDATE");
    if (id === 0) {
      this.#sendQueue.grow(increment);
      this.#sendQueue.run();
      return;
    }
    this.#streams.checkOpened(id, "WINDOW_UPDATE");
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.sendWindow += increment;
    if (stream.sendWindow > largestWindow)
      this.#breakStream(stream, errorCode.flowControlError, "the stream's window grows above 2^31-1");
    else if (stream.queuedBytes > 0) this.sendQueued(stream, 0);
  }

  onIgnored(): void {
    this.#needSettings();
    this.#controlFrames.spend("PRIORITY or unknown");
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
    const { maxConcurrentStreams, maxQueuedBytes } = this.#limits;
    const isFull = this.#streams.slots >= maxConcurrentStreams || this.#sendQueue.queuedBytes > maxQueuedBytes;
    if (this.#draining || isFull) {
      this.writer.rstStream(id, errorCode.refusedStream);
      this.#streams.rememberReset(id);
      return undefined;
    }
    const stream = new Http2Stream(this, id, this.#receiveFlow.streamWindow(), this.#peerStreamWindow);
    this.#streams.add(stream);
    return stream;
  }

  /** What breaks one stream's rules ends that stream, and so does a handler that throws. */
  #endBroken(stream: Http2Stream, error: unknown): void {
    if (error instanceof ConnectionError) throw error;
    if (error instanceof StreamError) {
      this.#resets?.spend("malformed");
      this.#breakStream(stream, error.code, error.message);
    } else this.#breakStream(stream, errorCode.internalError, "its handler failed");
  }

  #breakStream(stream: Http2Stream, code: number, why: string): void {
    if (stream.closed) this.#drop(stream);
    else this.resetStream(stream, code);
    stream.handler.onReset(code, why);
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

  #flushed(): void {
    this.#sendQueue.run();
    if (this.#role === "server" && this.#output.isUnread) this.#socket.pause();
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    this.#liveness.hear();
    try {
      this.#reader.read(this.#preface?.take(chunk) ?? chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    const code =
      error instanceof ConnectionError
        ? error.code
        : error instanceof CompressionError
          ? errorCode.compressionError
          : errorCode.internalError;
    const known = error instanceof ConnectionError || error instanceof CompressionError;
    this.writer.goaway(this.#streams.lastOfPeer, code, known ? error.message : "");
    this.#output.flush();
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
    this.#sendQueue.delete(stream);
    stream.drop();
    this.#receiveFlow.consume(stream.window.unread);
    this.#forgetClosed(stream);
  }

  #endWhenDrained(): void {
    if (!this.#draining || this.#closed || this.#streams.size > 0) return;
    this.#output.flush();
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#output.close(error === undefined);
    for (const stream of this.#streams.all()) {
      this.#streams.delete(stream);
      stream.drop();
      stream.handler.onReset(undefined, error?.message ?? "the connection was closed");
    }
    this.#handler.onClose(error);
  }
}
