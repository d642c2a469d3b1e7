import type { Duplex } from "node:stream";
import type { HeaderEncoder } from "../hpack/header-encoder.ts";
import { FrameWriter } from "./frame-writer.ts";
import { outsideOfCalls } from "./outside-of-calls.ts";

/** Of DATA that is written to a socket that has not taken what came before. */
const socketQueue = 256 * 1024;
/** What a server has written and its socket not taken, before it stops reading requests whose answers would join it. */
const unreadAnswers = 1024 * 1024;
/**
 * Of a turn's frames, so many don't wait for its end, then twice as many, up to the most: the peer works on the first while the others are
 * still made, where both ends would wait for each other. Measured with 16, 64 and 256 calls in flight.
 */
const early = { first: 1_024, most: 2_048 };
/** How often a socket that ends is looked at, in milliseconds, … */
const closingMs = 1_000;
/** … and how often it may have taken nothing of its last octets. */
const patience = 10;

/** The way of a connection's frames to its socket: those of one turn of the event loop leave together, at its end or in pieces before. */
export class Output {
  readonly writer: FrameWriter;
  readonly #socket: Duplex;
  readonly #onFlushed: () => void;
  #isPlanned = false;
  /** So many octets leave before the turn's end. */
  #earlyAt = early.first;
  #isClosed = false;

  /** `onFlushed` is called at the end of each turn in which something was written. */
  constructor(socket: Duplex, encoder: HeaderEncoder, onFlushed: () => void) {
    this.#socket = socket;
    this.#onFlushed = onFlushed;
    this.writer = new FrameWriter(encoder, () => this.#plan());
  }

  /** The socket has more than it can take. */
  get isBlocked(): boolean {
    return this.#isClosed || this.#socket.writableNeedDrain || this.writer.length > socketQueue;
  }

  /** The peer doesn't read what it asked for. */
  get isUnread(): boolean {
    return this.#socket.writableLength > unreadAnswers;
  }

  /** A stream's last frame is written. */
  streamEnded(): void {
    if (this.writer.length < this.#earlyAt) return;
    this.#earlyAt = Math.min(2 * this.#earlyAt, early.most);
    this.flush();
  }

  flush(): void {
    if (this.#isClosed) return;
    const pieces = this.writer.take();
    if (pieces.length > 1) this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
  }

  /**
   * Ends the socket behind what is flushed. In peace it goes on being read, and what comes is thrown away, since octets that arrive at a
   * socket that is gone take the last answers with them; but not from a peer that takes nothing, or doesn't end its side.
   */
  close(inPeace: boolean): void {
    this.#isClosed = true;
    const socket = this.#socket;
    let left = -1;
    let stands = 0;
    const looking = setInterval(() => {
      stands = socket.writableLength === left ? stands + 1 : 0;
      left = socket.writableLength;
      if (!inPeace || stands > (left === 0 ? 0 : patience)) socket.destroy();
    }, closingMs).unref();
    socket.once("close", () => clearInterval(looking));
    if (!inPeace) {
      socket.end(() => socket.destroy());
      return;
    }
    socket.end();
    socket.resume();
  }

  readonly #endTurn = (): void => {
    this.#isPlanned = false;
    this.#earlyAt = early.first;
    if (this.#isClosed) return;
    this.flush();
    this.#onFlushed();
  };

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    outsideOfCalls(setImmediate, this.#endTurn);
  }
}
