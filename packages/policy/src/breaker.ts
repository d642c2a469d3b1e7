import { type Clock, systemClock } from "@weft/context";
import {
  CircuitState,
  circuitBreaker,
  EventEmitter,
  handleWhenResult,
  type IDefaultPolicyContext,
  type IFailureEvent,
  type IPolicy,
  type ISuccessEvent,
} from "cockatiel";
import { createTrip } from "./breaker-trip.ts";
import { BreakerOpenError, isLocalRejection } from "./errors.ts";
import type { BreakerPolicy } from "./method-policy.ts";

export type BreakerStateName = "closed" | "open" | "half-open";

export interface BreakerOptions {
  /** Whether an error says that the endpoint is unwell. Every other error is an answer, and so a success of the endpoint. */
  isFailure(error: unknown): boolean;
  /** Whether an error says nothing about the endpoint at all, such as the end of a hurried caller's time. Default: none does. */
  isIgnored?(error: unknown): boolean;
  onStateChange?(state: BreakerStateName): void;
  readonly clock?: Clock;
}

export interface BreakerState {
  /** `half-open` from the first probe on; a circuit that could be probed, but wasn't yet, is `open` with retryAfterMs 0. */
  readonly state: BreakerStateName;
  /** Failures that count towards opening. */
  readonly failures: number;
  /** The clock's reading when it last opened; undefined while closed, -Infinity when it is to be probed before its time. */
  readonly openedAt: number | undefined;
  readonly retryAfterMs: number;
  readonly counts: BreakerCounts;
}

export interface BreakerCounts {
  readonly successes: number;
  readonly failures: number;
  /** Cancelled by the caller or refused locally: says nothing about the endpoint. */
  readonly ignored: number;
  /** Refused by this breaker. */
  readonly rejected: number;
  readonly opened: number;
}

export interface Breaker extends IPolicy {
  /**
   * Runs `fn` if the circuit admits it, else rejects with BreakerOpenError. When `signal` aborted, its reason is judged instead
   * of the error: a caller's cancel counts as nothing, a deadline counts if `isFailure` says so of the reason.
   */
  execute<T>(fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
  /** Whether `execute` would run a call now. */
  admits(): boolean;
  /** Whether calls that are admitted now are those by which it finds out. */
  readonly isProbing: boolean;
  /** The place of a call that `admits` allows: what `execute` does, for who can't wrap the call into a function. */
  begin(): BreakerPermit;
  /** What `execute` makes of an error: whose fault it is. */
  judge(error: unknown): BreakerOutcome;
  /** Something else has shown that the endpoint is there again: an open circuit lets probes through at once. */
  probeNow(): void;
  getState(): BreakerState;
}

export type BreakerOutcome = "success" | "failure" | "ignored";

/** A call that the circuit let through. */
export interface BreakerPermit {
  /** Whether the call is one by which a half-open circuit finds out. */
  readonly isProbe: boolean;
  /** Exactly once. Resolves when the circuit has taken it in; undefined when it has at once. */
  end(outcome: BreakerOutcome): Promise<unknown> | undefined;
}

/** One of the successes that a half-open circuit waits for. Passed from probe to probe until one has an outcome. */
interface ProbeSlot {
  settle(outcome: BreakerOutcome): void;
  readonly recorded: Promise<unknown>;
}

const never = new AbortController().signal;

/**
 * A circuit breaker around one endpoint (Nygard, Release It!). The state machine is cockatiel's, which is fed with outcomes
 * rather than with calls, because it takes a cancelled probe for a success, lets surplus probes wait without hearing abort,
 * lets late answers of a closed circuit reopen a half-open one, and reads the wall clock.
 */
export function createBreaker(policy: BreakerPolicy, options: BreakerOptions): Breaker {
  const { isFailure, clock = systemClock } = options;
  const trip = createTrip(policy.trip, clock);
  const circuit = circuitBreaker(
    handleWhenResult((outcome) => outcome === "failure"),
    {
      breaker: trip,
      // Always elapsed for cockatiel: `admits` decides, by our clock.
      halfOpenAfter: Number.NEGATIVE_INFINITY,
      halfOpenSampling: { calls: policy.halfOpenSuccesses, threshold: 0 },
    },
  );
  const successEvents = new EventEmitter<ISuccessEvent>();
  const failureEvents = new EventEmitter<IFailureEvent>();
  const counts = { successes: 0, failures: 0, ignored: 0, rejected: 0, opened: 0 };
  let state: BreakerStateName = "closed";
  let openedAt: number | undefined;
  /** Moves with each change of state: an outcome counts only in the period in which its call began. */
  let period = 0;
  let probesStarted = 0;
  let idleSlots: ProbeSlot[] = [];

  circuit.onStateChange((to) => {
    state = nameOf(to);
    period += 1;
    whileClosed = permitWhileClosed();
    probesStarted = 0;
    idleSlots = [];
    if (state === "open") {
      openedAt = clock.now();
      counts.opened += 1;
    } else if (state === "closed") {
      openedAt = undefined;
    }
    options.onStateChange?.(state);
  });

  function retryAfterMs(): number {
    return state === "open" && openedAt !== undefined ? Math.max(0, openedAt + policy.openForMs - clock.now()) : 0;
  }

  function admits(): boolean {
    switch (state) {
      case "closed":
        return true;
      case "open":
        return retryAfterMs() === 0;
      case "half-open":
        return idleSlots.length > 0 || probesStarted < policy.halfOpenSuccesses;
    }
  }

  function judge(error: unknown): BreakerOutcome {
    if (isLocalRejection(error)) return "ignored";
    if (isFailure(error)) return "failure";
    return options.isIgnored?.(error) ? "ignored" : "success";
  }

  function judgeAbort(reason: unknown): BreakerOutcome {
    return isFailure(reason) ? "failure" : "ignored";
  }

  function count(outcome: BreakerOutcome): void {
    if (outcome === "success") counts.successes += 1;
    else if (outcome === "failure") counts.failures += 1;
    else counts.ignored += 1;
  }

  /** One for all calls that begin while the circuit is closed, until it opens. */
  function permitWhileClosed(): BreakerPermit {
    const began = period;
    return {
      isProbe: false,
      end(outcome) {
        count(outcome);
        if (outcome === "ignored" || began !== period) return undefined;
        if (outcome === "failure") return circuit.execute(() => outcome);
        // All that a closed circuit does with a success, without a promise for it.
        trip.success(CircuitState.Closed);
        return undefined;
      },
    };
  }
  let whileClosed = permitWhileClosed();

  function begin(): BreakerPermit {
    if (state === "closed") return whileClosed;
    const slot = idleSlots.pop() ?? openSlot();
    const began = period;
    return {
      isProbe: true,
      end(outcome) {
        count(outcome);
        if (outcome === "ignored") {
          if (began === period) idleSlots.push(slot);
          return undefined;
        }
        slot.settle(outcome);
        return slot.recorded;
      },
    };
  }

  function openSlot(): ProbeSlot {
    const { promise, resolve } = Promise.withResolvers<BreakerOutcome>();
    const recorded = circuit.execute(() => promise);
    probesStarted += 1;
    return { settle: resolve, recorded };
  }

  async function execute<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal = never,
  ): Promise<T> {
    if (!admits()) {
      counts.rejected += 1;
      throw new BreakerOpenError(retryAfterMs());
    }
    const permit = begin();
    const startedAt = successEvents.size + failureEvents.size > 0 ? clock.now() : 0;
    try {
      const value = await fn({ signal });
      // A probe may have closed it for the next call.
      await permit.end("success");
      if (successEvents.size > 0) successEvents.emit({ duration: clock.now() - startedAt });
      return value;
    } catch (error) {
      const outcome = signal.aborted ? judgeAbort(signal.reason) : judge(error);
      await permit.end(outcome);
      if (failureEvents.size > 0) {
        const duration = clock.now() - startedAt;
        failureEvents.emit({ duration, handled: outcome === "failure", reason: { error } });
      }
      throw error;
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: successEvents.addListener,
    onFailure: failureEvents.addListener,
    execute,
    admits,
    get isProbing() {
      return state !== "closed";
    },
    begin,
    judge,
    probeNow() {
      if (state === "open") openedAt = Number.NEGATIVE_INFINITY;
    },
    getState: () => ({
      state,
      failures: trip.failures(),
      openedAt,
      retryAfterMs: retryAfterMs(),
      counts: { ...counts },
    }),
  };
}

function nameOf(state: CircuitState): BreakerStateName {
  switch (state) {
    case CircuitState.Closed:
      return "closed";
    case CircuitState.HalfOpen:
      return "half-open";
    case CircuitState.Open:
    case CircuitState.Isolated:
      return "open";
  }
}
