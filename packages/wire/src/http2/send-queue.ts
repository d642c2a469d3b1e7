import type { FrameWriter } from "./frame-writer.ts";
import { ConnectionError } from "./http2-error.ts";
import { errorCode, largestWindow, protocolWindow } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";

/**
 * The streams whose data waits for the connection's window or for the socket. They take turns of a frame each, so that a large
 * message doesn't keep the small ones waiting. A stream that waits for its own window is added again when that grows.
 */
export class SendQueue {
  readonly #writer: FrameWriter;
  readonly #isBlocked: () => boolean;
  readonly #onWritten: (octets: number) => void;
  readonly #waiting = new Set<Http2Stream>();
  #window = protocolWindow;
  #queuedBytes = 0;
  #sentBytes = 0;
  #isRunning = false;

  /**
   * `isBlocked`: the socket has more than it can take, and whoever asks runs the queue when it has not. `onWritten` is called with
   * what a stream has sent in its turn.
   */
  constructor(writer: FrameWriter, isBlocked: () => boolean, onWritten: (octets: number) => void) {
    this.#writer = writer;
    this.#isBlocked = isBlocked;
    this.#onWritten = onWritten;
  }

  /** Throws ConnectionError when the peer's updates make the connection's window too large. */
  grow(increment: number): void {
    this.#window += increment;
    if (this.#window > largestWindow)
      throw new ConnectionError(errorCode.flowControlError, "the connection's window grows above 2^31-1");
  }

  /** Octets that have left, of all streams. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Octets of all streams that wait. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Writes a DATA frame if nothing else waits and windows and socket allow; false when they don't. */
  sendNow(stream: Http2Stream, prefix: Uint8Array, bytes: Uint8Array, endStream: boolean): boolean {
    const octets = prefix.length + bytes.length;
    // A stream that ends in its turn may begin another, before the window knows of it.
    if (this.#isRunning || this.#waiting.size > 0 || octets > this.#window || octets > stream.sendWindow) return false;
    if (octets > this.#writer.maxFrameSize || this.#isBlocked()) return false;
    this.#window -= octets;
    stream.sendWindow -= octets;
    this.#sentBytes += octets;
    this.#writer.data(stream.id, bytes, endStream, prefix);
    this.#onWritten(octets);
    return true;
  }

  /** So many octets more wait in the stream; none when its window has grown. */
  add(stream: Http2Stream, octets = 0): void {
    this.#queuedBytes += octets;
    this.#waiting.add(stream);
  }

  /** To be told before the stream forgets what it has queued. */
  delete(stream: Http2Stream): void {
    this.#queuedBytes -= stream.queuedBytes;
    this.#waiting.delete(stream);
  }

  /** Writes what windows and socket allow. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      this.#run();
    } finally {
      this.#isRunning = false;
    }
  }

  #run(): void {
    const { maxFrameSize } = this.#writer;
    // A stream that is added behind the others during the loop comes again in it.
    for (const stream of this.#waiting) {
      if (this.#isBlocked()) return;
      const written = stream.writeQueued(Math.min(this.#window, maxFrameSize));
      this.#window -= written;
      this.#queuedBytes -= written;
      this.#sentBytes += written;
      this.#onWritten(written);
      if (written === 0 && stream.queuedBytes > 0 && stream.sendWindow > 0) return;
      this.#waiting.delete(stream);
      if (stream.queuedBytes > 0 && stream.sendWindow > 0) this.#waiting.add(stream);
      stream.tellDrained();
    }
  }
}
