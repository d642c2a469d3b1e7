import { gunzipInTurn } from "./gunzip-in-turn.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import { GrpcFrameError, grpcCode } from "./status.ts";

/** Whom the messages of one side of a call are for. */
export interface InflowHandler {
  /** Lent: whoever keeps it copies it. */
  onMessage(bytes: Buffer): void;
  /** All messages were there. */
  onMessagesEnd(): void;
  /** What came is no gRPC; nothing comes after it. */
  onBroken(error: GrpcFrameError): void;
  /** The peer may send so many octets more. */
  consume(octets: number): void;
}

type Pending = { readonly bytes: Buffer; readonly compressed: boolean } | "end";

/** The messages that a stream brings, decompressed, in their order. */
export class Inflow implements MessageSink {
  readonly #handler: InflowHandler;
  readonly #maxBytes: number;
  readonly #reader: MessageReader;
  /** What the peer's header list named; "identity" until then. */
  encoding = "identity";
  /** Behind a message that is being decompressed, or that nobody wants yet. */
  #pending: Pending[] | undefined;
  /** Of them, the first that is not handed out. */
  #pendingAt = 0;
  #isDecompressing = false;
  #isPaused = false;
  #isOver = false;
  /** Octets that the peer is given back when the messages are wanted again. */
  #owed = 0;

  /** `maxBytes` of a message, both as it comes and decompressed. */
  constructor(handler: InflowHandler, maxBytes: number) {
    this.#handler = handler;
    this.#maxBytes = maxBytes;
    this.#reader = new MessageReader(maxBytes, this);
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (!this.#isOver) {
      try {
        this.#reader.read(bytes, start, end);
      } catch (error) {
        this.#break(error);
      }
    }
    if (this.#isBusy) this.#owed += end - start;
    else this.#handler.consume(end - start);
  }

  end(): void {
    if (this.#isOver) return;
    if (this.#reader.isWithinMessage) this.#break(new GrpcFrameError(grpcCode.internal, "the last message is cut off"));
    else if (this.#isBusy) this.#postpone("end");
    else this.#finish();
  }

  /** No messages for now: the peer's window fills up, and then it waits. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#run();
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#isOver = true;
    this.#pending = undefined;
  }

  get #isBusy(): boolean {
    return this.#isDecompressing || this.#isPaused || this.#pending !== undefined;
  }

  #postpone(what: Pending): void {
    this.#pending ??= [];
    this.#pending.push(what);
  }

  takeMessage(bytes: Buffer, compressed: boolean): void {
    if (this.#isOver) return;
    if (compressed && this.encoding !== "gzip")
      throw new GrpcFrameError(grpcCode.internal, `a message is compressed, though the encoding is ${this.encoding}`);
    if (!compressed && !this.#isBusy) {
      this.#handler.onMessage(bytes);
      return;
    }
    this.#postpone({ bytes: Buffer.from(bytes), compressed });
    this.#run();
  }

  /** Hands out what waits, as far as it may; one message is decompressed at a time. */
  #run(): void {
    while (!this.#isPaused && !this.#isDecompressing && !this.#isOver) {
      const next = this.#takePending();
      if (next === undefined) break;
      if (next === "end") this.#finish();
      else if (next.compressed) this.#decompress(next.bytes);
      else this.#handler.onMessage(next.bytes);
    }
    if (this.#isBusy) return;
    const owed = this.#owed;
    this.#owed = 0;
    if (owed > 0) this.#handler.consume(owed);
  }

  #takePending(): Pending | undefined {
    const next = this.#pending?.[this.#pendingAt];
    if (next === undefined) return undefined;
    this.#pendingAt += 1;
    if (this.#pendingAt === this.#pending?.length) {
      this.#pending = undefined;
      this.#pendingAt = 0;
    }
    return next;
  }

  #decompress(bytes: Buffer): void {
    this.#isDecompressing = true;
    gunzipInTurn(bytes, Math.max(1, this.#maxBytes), (error, message) => {
      this.#isDecompressing = false;
      if (this.#isOver) return;
      if (error === null) this.#handler.onMessage(message);
      else if (error.code === "ERR_BUFFER_TOO_LARGE")
        this.#break(
          new GrpcFrameError(
            grpcCode.resourceExhausted,
            `a message is larger than the ${this.#maxBytes} octets allowed when it is decompressed`,
          ),
        );
      else this.#break(new GrpcFrameError(grpcCode.internal, "a message can't be decompressed"));
      this.#run();
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#handler.onMessagesEnd();
  }

  #break(error: unknown): void {
    if (!(error instanceof GrpcFrameError)) throw error;
    this.stop();
    this.#handler.onBroken(error);
  }
}
