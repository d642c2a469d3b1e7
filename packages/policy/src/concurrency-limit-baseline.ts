/** How many calls teach a method's latency for the first time. */
const firstCalls = 20;

/**
 * How long calls of one method take when they don't wait for each other: what their latency is compared with. Kept per
 * method, so that a change in the mix of quick and slow methods doesn't look like congestion, or hide it.
 */
export class Baseline {
  /** Milliseconds; 0 before the first call has ended. */
  mean = 0;
  #begun = 0;
  #lastOfFirst = Number.POSITIVE_INFINITY;
  #learned = 0;
  #calls = 0;
  #sum = 0;

  begin(now: number): void {
    if (this.#begun >= firstCalls) return;
    this.#begun += 1;
    if (this.#begun === firstCalls) this.#lastOfFirst = now;
  }

  add(latencyMs: number, startedAt: number): void {
    // The first calls that began, not the first that ended: of many that run at once those are the short ones.
    if (startedAt <= this.#lastOfFirst && this.#learned < firstCalls) {
      this.#learned += 1;
      this.mean = Math.max(1e-3, this.mean + (latencyMs - this.mean) / this.#learned);
      return;
    }
    this.#calls += 1;
    this.#sum += latencyMs;
  }

  /** A window is over: the mean moves towards what was measured, by `1 - e^-follow`; 0 leaves it. */
  settle(follow: number): void {
    if (this.#calls === 0) return;
    this.mean += (this.#sum / this.#calls - this.mean) * (1 - Math.exp(-follow));
    this.#calls = 0;
    this.#sum = 0;
  }

  scale(factor: number): void {
    this.mean *= factor;
  }
}
