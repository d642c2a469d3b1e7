const bucketMs = 1_000;
const buckets = 8;
/** Buckets that count as young: a call is old when it has run for two to three seconds. */
const youngBuckets = 3;

/** Counts calls under way, and among them those that have run for long, without remembering each. */
export class InFlight {
  count = 0;
  /** Of these, older than two seconds. */
  old = 0;
  readonly #young = new Int32Array(buckets);
  #bucket = 0;

  begin(now: number): void {
    this.advance(now);
    this.count += 1;
    const at = this.#bucket % buckets;
    this.#young[at] = (this.#young[at] ?? 0) + 1;
  }

  end(startedAt: number, now: number): void {
    this.advance(now);
    this.count -= 1;
    const bucket = Math.floor(startedAt / bucketMs);
    if (bucket <= this.#bucket - youngBuckets) {
      this.old -= 1;
      return;
    }
    const at = bucket % buckets;
    this.#young[at] = (this.#young[at] ?? 0) - 1;
  }

  /** What has become old by now; `begin` and `end` do it as well. */
  advance(now: number): void {
    const bucket = Math.floor(now / bucketMs);
    if (bucket <= this.#bucket) return;
    const from = this.#bucket - youngBuckets + 1;
    const to = Math.min(bucket - youngBuckets, this.#bucket);
    for (let each = Math.max(0, from); each <= to; each++) {
      const at = each % buckets;
      this.old += this.#young[at] ?? 0;
      this.#young[at] = 0;
    }
    this.#bucket = bucket;
  }
}
