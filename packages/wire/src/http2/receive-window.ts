import { ConnectionError } from "./http2-error.ts";
import { errorCode, largestWindow } from "./protocol.ts";

/**
 * What the peer may still send, on a stream or on the connection (RFC 9113 section 5.2). It is given more when half of the window
 * has been consumed, so that a WINDOW_UPDATE stands for many frames.
 */
export class ReceiveWindow {
  #size: number;
  /** What the peer may still send, as far as it was told. */
  #available: number;
  /** Consumed, and not given back yet. */
  #owed = 0;

  /** `size` octets may be on their way or unread. */
  constructor(size: number) {
    this.#size = size;
    this.#available = size;
  }

  /** Octets that have come and are not consumed. */
  get unread(): number {
    return this.#size - this.#available - this.#owed;
  }

  /** Throws ConnectionError when the peer has sent more than it may. */
  receive(octets: number): void {
    this.#available -= octets;
    if (this.#available < 0)
      throw new ConnectionError(errorCode.flowControlError, `${-this.#available} octets more than the window allows`);
  }

  /** Returns by how much to update the peer's window now; mostly 0. */
  consume(octets: number): number {
    this.#owed += octets;
    if (2 * this.#owed < this.#size) return 0;
    const increment = this.#owed;
    this.#available += increment;
    this.#owed = 0;
    return increment;
  }

  /** Makes the window larger; one that is as large already stays. Returns by how much: the peer has to be told. */
  grow(size: number): number {
    const more = Math.min(size, largestWindow) - this.#size;
    if (more <= 0) return 0;
    this.#size += more;
    this.#available += more;
    return more;
  }
}
