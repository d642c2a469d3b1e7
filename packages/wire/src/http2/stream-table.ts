import { ConnectionError } from "./http2-error.ts";
import { errorCode, largestWindow } from "./protocol.ts";

/** Streams that we have reset, whose frames may still be on their way. */
const rememberedResets = 4_096;

/** A connection's streams by their numbers, those of both ends (RFC 9113 section 5.1.1). */
export class StreamTable<Stream extends { readonly id: number; readonly held: boolean }> {
  readonly #ownParity: number;
  readonly #open = new Map<number, Stream>();
  /** Closed, but their handlers have not ended. */
  readonly #lingering = new Set<Stream>();
  readonly #resets = new Set<number>();
  /** Of ours, the one that is opened next. */
  #next: number;
  /** Of the peer's, the one that it opened last; 0 before the first. */
  lastOfPeer = 0;

  constructor(role: "client" | "server") {
    this.#ownParity = role === "client" ? 1 : 0;
    this.#next = role === "client" ? 1 : 2;
  }

  get size(): number {
    return this.#open.size;
  }

  /** What counts against the limit of streams. */
  get slots(): number {
    return this.#open.size + this.#lingering.size;
  }

  /** All numbers have been used: only another connection has more. */
  get exhausted(): boolean {
    return this.#next > largestWindow;
  }

  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  /** Those that are open when it is asked for. */
  all(): readonly Stream[] {
    return [...this.#open.values()];
  }

  /** How many numbers were taken. */
  get opened(): number {
    return this.#next >> 1;
  }

  takeNumber(): number {
    const id = this.#next;
    this.#next += 2;
    return id;
  }

  add(stream: Stream): void {
    this.#open.set(stream.id, stream);
  }

  /** It is closed; one that is held keeps its slot. Whether it was there. */
  delete(stream: Stream): boolean {
    if (!this.#open.delete(stream.id)) return false;
    if (stream.held) this.#lingering.add(stream);
    return true;
  }

  /** Its handler has ended. */
  release(stream: Stream): void {
    this.#lingering.delete(stream);
  }

  isOwn(id: number): boolean {
    return (id & 1) === this.#ownParity;
  }

  /** Throws ConnectionError for a frame on a stream that nobody has opened. */
  checkOpened(id: number, frame: string): void {
    const opened = this.isOwn(id) ? id < this.#next : id <= this.lastOfPeer;
    if (!opened)
      throw new ConnectionError(errorCode.protocolError, `${frame} on stream ${id}, which nobody has opened`);
  }

  /**
   * Throws ConnectionError for a frame on a stream that is closed, unless we closed it and the peer may not know. Of streams that are ours
   * nothing is remembered: a peer that is late answers any number of calls that were cancelled long ago.
   */
  checkReset(id: number, frame: string): void {
    if (this.isOwn(id) || this.#resets.has(id)) return;
    throw new ConnectionError(errorCode.streamClosed, `${frame} on stream ${id}, which is closed`);
  }

  rememberReset(id: number): void {
    if (this.isOwn(id)) return;
    this.#resets.add(id);
    if (this.#resets.size <= rememberedResets) return;
    const [oldest] = this.#resets;
    if (oldest !== undefined) this.#resets.delete(oldest);
  }
}
