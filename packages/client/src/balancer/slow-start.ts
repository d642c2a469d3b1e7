import type { Candidate } from "./contract.ts";

export interface SlowStartOptions {
  /** How long an endpoint is new, in milliseconds; default 10,000. 0: never. */
  readonly windowMs?: number;
  /** The part of its share that it begins with, above 0; default 0.1. */
  readonly minFactor?: number;
  /** 1 (the default): the share grows evenly. Above: quicker at first. */
  readonly aggression?: number;
}

/**
 * A new endpoint takes its share little by little (Envoy's slow start): its code is cold, its caches and pools are empty.
 * Only what joins later is new: of the first list nobody knows how long it has run, and when all are new, none is.
 */
export class SlowStart {
  readonly #windowMs: number;
  readonly #minFactor: number;
  readonly #exponent: number;
  #firstList: number | undefined;
  #over = 0;

  constructor({ windowMs = 10_000, minFactor = 0.1, aggression = 1 }: SlowStartOptions = {}) {
    this.#windowMs = windowMs;
    this.#minFactor = minFactor;
    this.#exponent = 1 / aggression;
  }

  /** To be told of each list, before the factors of its endpoints are asked for. */
  update(candidates: readonly Candidate[]): void {
    if (candidates.length === 0) return;
    const newest = candidates.reduce((latest, { since }) => Math.max(latest, since), Number.NEGATIVE_INFINITY);
    this.#firstList ??= newest;
    this.#over = newest > this.#firstList ? newest + this.#windowMs : 0;
  }

  /** Whether any endpoint is new. While none is, every factor is 1. */
  isActive(now: number): boolean {
    return now < this.#over;
  }

  /** The part of its weight that counts now, from `minFactor` to 1. */
  factor({ since }: Candidate, now: number): number {
    const age = now - since;
    if (age >= this.#windowMs || since <= (this.#firstList ?? since)) return 1;
    return Math.max(this.#minFactor, (age / this.#windowMs) ** this.#exponent);
  }
}
