/**
 * How a call to an endpoint ended:
 * - `success`: the endpoint answered. An answer that blames the caller (NOT_FOUND, INVALID_ARGUMENT) is one.
 * - `failure`: the endpoint is to blame, or it refused: UNAVAILABLE, INTERNAL, RESOURCE_EXHAUSTED, an attempt's time-out.
 * - `cancelled`: the caller left before the answer came.
 * - `unsent`: it never left this process (an open circuit, a full queue), so it says nothing of the endpoint.
 */
export type Outcome = "success" | "failure" | "cancelled" | "unsent";

/** Until so many calls were measured, the latency is unknown: the first ones pay for the connection and for cold code. */
const samplesUntilKnown = 3;
/** After so many times `decayMs` without a measurement the latency is unknown again: what is left of it would draw a whole burst. */
const fadesUntilUnknown = 5;
/** A call counts no more than this in the mean, however long ago the one before was. */
const samplesOfMean = 10;
/** Five failures in a row make an endpoint look 16,000 times as slow; more would change little and heal later. */
const mostStrikes = 14;
/** What a success leaves of the strikes: at 1 % failures the cost is some 3 % higher, at 50 % sixteen times as high. */
const strikesLeftBySuccess = 3 / 4;

/**
 * What one process knows of an endpoint's speed: the calls in flight, and the peak EWMA of their latency (Finagle's:
 * a slower call is believed at once, quicker ones with time). O(1) a call and nothing allocated. Times are milliseconds of
 * one clock.
 *
 * Three things make an endpoint look slow beside its latency, so that a quick refusal or a hang attracts nothing:
 * - Failures. One doubles the cost, the next in a row makes it four times as high, and so on; a success takes a quarter of that back,
 *   and time heals it. One costs no more than ordinary jitter, a run of them ends the traffic but for a probe every one and a half `decayMs`.
 * - Calls without an answer. Their mean age counts as latency as soon as it is longer.
 * - Calls whose caller left, when they had lasted longer than is usual here. Shorter ones say nothing.
 */
export class EndpointLoad {
  readonly #decayMs: number;
  #inFlight = 0;
  /** Calls in flight without an answer, and the sum of when they began: their mean age without a list of them. */
  #waiting = 0;
  #waitingSince = 0;
  #samples = 0;
  #latency = 0;
  #mean = 0;
  #measuredAt = 0;
  #strikes = 0;
  /** Failures in a row: the first is a strike, the second two more, and so on. */
  #run = 0;
  #failedAt = 0;

  /** `decayMs`: the time in which what is known loses 1 − 1/e of its weight. */
  constructor(decayMs = 10_000) {
    this.#decayMs = decayMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A call begins. */
  begin(now: number): void {
    this.#inFlight += 1;
    this.#waiting += 1;
    this.#waitingSince += now;
  }

  /** A unary call that began at `startedAt` ended. */
  end(startedAt: number, now: number, outcome: Outcome): void {
    this.answered(startedAt, now, outcome);
    this.release();
  }

  /** The call is measured, but may go on: a stream's first message is here. Once a call; `release` is called when it ends. */
  answered(startedAt: number, now: number, outcome: Outcome): void {
    this.#waiting -= 1;
    this.#waitingSince = this.#waiting === 0 ? 0 : this.#waitingSince - startedAt;
    const elapsed = now - startedAt;
    switch (outcome) {
      case "success":
        this.#run = 0;
        if (this.#strikes > 0) {
          this.#strikes = this.#strikesAt(now) * strikesLeftBySuccess;
          this.#failedAt = now;
        }
        this.#measure(elapsed, now);
        return;
      case "failure":
        // Added to what the strikes were, not to what time has left of them: until a success, each probe that fails
        // makes the next one wait as long again.
        this.#run += 1;
        this.#strikes = Math.min(mostStrikes, this.#strikes + this.#run);
        this.#failedAt = now;
        if (elapsed > this.latency(now)) this.#measure(elapsed, now);
        return;
      case "cancelled":
        if (elapsed > this.latency(now)) this.#measure(elapsed, now);
        return;
      case "unsent":
        return;
    }
  }

  /** A call that `answered` measures is over; either may come first. */
  release(): void {
    this.#inFlight -= 1;
  }

  /** It has come back from where nobody could reach it: what was measured before, and failed since, says nothing any more. */
  forget(): void {
    this.#samples = 0;
    this.#latency = 0;
    this.#strikes = 0;
    this.#run = 0;
  }

  /**
   * Milliseconds that an answer may take: the peak EWMA, which fades while nothing is measured, so that one which was slow is
   * tried again. 0 when too little is known, or nothing any more.
   */
  latency(now: number): number {
    const age = now - this.#measuredAt;
    if (this.#samples < samplesUntilKnown || age > fadesUntilUnknown * this.#decayMs) return 0;
    return this.#latency * this.#faded(age);
  }

  /** Milliseconds: the mean of at least the last ten calls, with time a plain EWMA. It doesn't fade. 0 when too little is known. */
  get meanLatency(): number {
    return this.#samples < samplesUntilKnown ? 0 : this.#mean;
  }

  /**
   * What one more call costs here: latency × the calls that would then be in flight for each unit of weight, doubled for each
   * failure. `assumed` stands for a latency that is unknown: give what the others have, for a newcomer is then judged by its
   * calls in flight alone, and neither shunned nor flooded. `weight` is relative: 1 is the mean of the endpoints.
   */
  cost(now: number, assumed: number, weight = 1): number {
    return this.costAt(this.latency(now) || assumed, now, weight);
  }

  /** The same for a latency that was read before. */
  costAt(latency: number, now: number, weight: number): number {
    const slowest = this.#waiting === 0 ? latency : Math.max(latency, now - this.#waitingSince / this.#waiting);
    const cost = slowest * (this.#inFlight / weight + 1);
    return this.#strikes === 0 ? cost : cost * 2 ** this.#strikesAt(now);
  }

  #measure(elapsed: number, now: number): void {
    const kept = this.#faded(now - this.#measuredAt);
    const isSettled = this.#samples === samplesOfMean;
    if (!isSettled) this.#samples += 1;
    this.#mean += (elapsed - this.#mean) * (isSettled ? Math.min(1 - kept, 1 / samplesOfMean) : 1 / this.#samples);
    if (this.#samples <= samplesUntilKnown) {
      this.#latency = this.#samples === 1 ? elapsed : Math.min(this.#latency, elapsed);
    } else {
      this.#latency = elapsed >= this.#latency ? elapsed : elapsed + (this.#latency - elapsed) * kept;
    }
    this.#measuredAt = now;
  }

  #strikesAt(now: number): number {
    return this.#strikes * this.#faded(now - this.#failedAt);
  }

  #faded(ageMs: number): number {
    return Math.exp(-ageMs / this.#decayMs);
  }
}
