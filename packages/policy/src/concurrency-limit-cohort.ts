const never = Number.POSITIVE_INFINITY;
/** A cohort that takes longer than this to gather makes do with what it has, if that is at least `fewest`. */
const longestMs = 500;
const fewest = 10;

/**
 * The calls that a probe measures: all that begin from one time to another. The first so many that *end* would be the short
 * ones.
 */
export class Cohort {
  /** When the probe began. */
  readonly since: number;
  readonly #wanted: number;
  #from = never;
  #until = never;
  #begun = 0;
  #ended = 0;
  #latencyMs = 0;
  #workMs = 0;
  #deviationMs = 0;

  constructor(since: number, wanted: number) {
    this.since = since;
    this.#wanted = wanted;
  }

  /** Whether calls from before the probe still take the room. */
  get waits(): boolean {
    return this.#from === never;
  }

  open(now: number): void {
    this.#from = now;
  }

  begin(now: number): void {
    if (now < this.#from || now > this.#until) return;
    this.#begun += 1;
    if (this.#begun >= this.#wanted || (this.#begun >= fewest && now - this.#from >= longestMs)) this.#until = now;
  }

  /** Ended, and tells nothing. */
  ignore(startedAt: number): void {
    if (this.#includes(startedAt)) this.#begun -= 1;
  }

  end(startedAt: number, latencyMs: number, baselineMs: number): void {
    if (!this.#includes(startedAt)) return;
    this.#ended += 1;
    this.#latencyMs += latencyMs;
    this.#workMs += baselineMs;
    this.#deviationMs += Math.abs(latencyMs - baselineMs);
  }

  #includes(startedAt: number): boolean {
    return startedAt >= this.#from && startedAt <= this.#until;
  }

  /** All have ended, or all but stragglers. */
  isComplete(now: number): boolean {
    if (this.#ended === 0 || this.#until === never) return false;
    return this.#ended >= this.#begun || now - this.#until >= (10 * this.#workMs) / this.#ended;
  }

  /** Measured latency in relation to the baselines'. */
  get ratio(): number {
    return this.#latencyMs / Math.max(this.#workMs, 1e-3);
  }

  get spread(): number {
    return this.#deviationMs / Math.max(this.#workMs, 1e-3);
  }
}
