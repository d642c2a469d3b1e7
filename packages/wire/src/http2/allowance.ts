import { ConnectionError } from "./http2-error.ts";
import { errorCode } from "./protocol.ts";

/** What a peer may do for nothing: so much at once, and so much a second (a token bucket). */
export class Allowance {
  readonly #most: number;
  readonly #perMs: number;
  readonly #clock: { now(): number };
  #left: number;
  #filledAt: number;
  #earned = 0;

  constructor(most: number, perSecond: number, clock: { now(): number }) {
    this.#most = most;
    this.#perMs = perSecond / 1_000;
    this.#clock = clock;
    this.#left = most;
    this.#filledAt = clock.now();
  }

  /** Something moved forward: so many more are allowed. */
  earn(more = 1): void {
    this.#earned += more;
  }

  /** Throws ConnectionError, named by what there was too much of. */
  spend(what: string): void {
    this.#left -= 1;
    if (this.#left >= 0) return;
    // The clock is asked only when it matters.
    const now = this.#clock.now();
    const gained = this.#earned + (now - this.#filledAt) * this.#perMs;
    this.#left = Math.min(this.#most, this.#left + gained);
    this.#earned = 0;
    this.#filledAt = now;
    if (this.#left < 0) throw new ConnectionError(errorCode.enhanceYourCalm, `too many ${what} frames`);
  }
}
