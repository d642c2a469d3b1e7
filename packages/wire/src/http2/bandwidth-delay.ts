export interface BandwidthDelayOptions {
  /** Octets: what the windows have from the start. */
  readonly initial: number;
  /** The windows never grow above it; default 16 MiB. */
  readonly most?: number;
}

/**
 * Estimates how much a connection can have on its way, from what arrives between a PING and its answer: as gRPC does, which
 * names it BDP estimation. A window of that size keeps the way full; a smaller one makes the sender wait for us.
 */
export class BandwidthDelay {
  readonly #most: number;
  #estimate: number;
  /** Octets a millisecond, the best that was seen. */
  #bandwidth = 0;
  /** Since the PING that is on its way; undefined while none is. */
  #sample: { octets: number; readonly sentAt: number } | undefined;

  constructor({ initial, most = 16 * 1024 * 1024 }: BandwidthDelayOptions) {
    this.#estimate = initial;
    this.#most = most;
  }

  /** To be told of DATA; answers whether a PING is to be sent now, whose answer `answered` wants to know of. */
  received(octets: number, now: number): boolean {
    if (this.#sample) {
      this.#sample.octets += octets;
      return false;
    }
    if (this.#estimate >= this.#most) return false;
    this.#sample = { octets, sentAt: now };
    return true;
  }

  /** The PING was answered. Returns the size that the windows are to have from now on, when it is another. */
  answered(now: number): number | undefined {
    const sample = this.#sample;
    if (sample === undefined) return undefined;
    this.#sample = undefined;
    // A window is in the way only if it was nearly used up, and a larger one is of use only if it brought more a second.
    if (3 * sample.octets < 2 * this.#estimate) return undefined;
    const bandwidth = sample.octets / Math.max(now - sample.sentAt, 0.01);
    if (bandwidth <= this.#bandwidth) return undefined;
    this.#bandwidth = bandwidth;
    const estimate = Math.min(2 * sample.octets, this.#most);
    if (estimate <= this.#estimate) return undefined;
    this.#estimate = estimate;
    return estimate;
  }
}
