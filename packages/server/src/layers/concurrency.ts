import { AsyncLocalStorage } from "node:async_hooks";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Clock, type Downstream, headers, outsideOfCalls } from "@weft/context";
import {
  type ConcurrencyLimit,
  type ConcurrencyLimitPolicy,
  createConcurrencyLimit,
  type LimitOutcome,
  type MethodLimit,
} from "@weft/policy";
import { meter } from "@weft/telemetry";
import { type Answer, answersWithStream, type Layer, type Next, takesStream } from "../layer.ts";
import type { ServedCall } from "../served-call.ts";

/** How often the event loop is looked at, in milliseconds. */
const lookMs = 20;

/** What the server turns out to be able to do, and what it learns that by. */
export interface LoadGuard {
  readonly limit: ConcurrencyLimit;
  /** Runs an admitted call: at once, or after what this turn of an overloaded event loop refuses has left. */
  run(next: Next, call: ServedCall): Answer;
  close(): void;
}

export function createLoadGuard(policy: Partial<ConcurrencyLimitPolicy>, clock: Clock): LoadGuard {
  /** The calls that are held back in the present turn. */
  let held: (() => void)[] | undefined;
  const limit = createConcurrencyLimit({
    policy,
    onTurn(ended) {
      if (!limit.isLoopOverloaded) {
        outsideOfCalls(setImmediate, () => ended(clock.now()));
        return;
      }
      held = [];
      // What this turn has refused leaves in an immediate that is queued behind the first of these two.
      outsideOfCalls(setImmediate, () =>
        setImmediate(() => {
          const calls = held ?? [];
          held = undefined;
          for (const call of calls) call();
          // What handlers compute after their first `await` is done by then.
          queueMicrotask(() => process.nextTick(() => ended(clock.now())));
        }),
      );
    },
  });
  const { eventLoopUtilization } = performance;
  let due = clock.now() + lookMs;
  let loop = eventLoopUtilization();
  const timer = setInterval(() => {
    const now = clock.now();
    const before = loop;
    loop = eventLoopUtilization();
    limit.observeLoop(Math.max(0, now - due), eventLoopUtilization(loop, before).utilization, now);
    due = now + lookMs;
  }, lookMs).unref();
  return {
    limit,
    run(next, call) {
      if (held === undefined) return next(call);
      call.hasWaited = true;
      const inContext = AsyncLocalStorage.snapshot();
      const turn = held;
      return new Promise((resolve, reject) => {
        turn.push(() => {
          try {
            resolve(inContext(next, call));
          } catch (error) {
            reject(error);
          }
        });
      });
    },
    close: () => clearInterval(timer),
  };
}

/**
 * Refuses what the server can't do in time, the least critical first, before it costs anything: RESOURCE_EXHAUSTED, marked as never begun, so that
 * another instance may be asked.
 */
export function concurrencyLayer(guard: LoadGuard | undefined, clock: Clock): Layer {
  if (guard === undefined) return (next) => next;
  const rejections = meter("weft.server").createCounter("weft.server.shed");
  const { limit } = guard;
  return (next) => (call) => {
    const { criticality } = call.policy;
    const method = limit.method(call.scope);
    const { startedAt } = call;
    if (!method.tryBegin(criticality, startedAt)) {
      rejections.add(1, { ...call.served.attributes, criticality });
      throw new ConnectError(
        "the server has more calls than it can serve: try another one, or later",
        Code.ResourceExhausted,
        {
          [headers.shed]: "overload",
        },
      );
    }
    const place = new Place(method, clock, startedAt);
    // How long a stream lasts tells nothing, and it would keep its place for hours.
    if (answersWithStream(call.method) || takesStream(call.method)) place.leave("ignored");
    else {
      call.downstream = place;
      call.atEnd((error) => place.leave(isAnswer(error) ? "answered" : "ignored"));
    }
    return guard.run(next, call);
  };
}

/** A call's place among those that the server can do. */
class Place implements Downstream {
  unavailable: string | undefined = undefined;
  readonly #method: MethodLimit;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #isTaken = true;

  constructor(method: MethodLimit, clock: Clock, startedAt: number) {
    this.#method = method;
    this.#clock = clock;
    this.#startedAt = startedAt;
  }

  /** How long another server takes tells nothing of this one: a slow dependency is no reason to shed what has nothing to do with it. */
  onCall(): void {
    this.leave("ignored");
  }

  leave(outcome: LimitOutcome): void {
    if (this.#isTaken) this.#method.end(this.#startedAt, this.#clock.now(), outcome);
    this.#isTaken = false;
  }
}

/** Whether the handler ran to its end, so that its time is one that such calls take. */
function isAnswer(error: unknown): boolean {
  return error === undefined || (error instanceof ConnectError && !unfinished.has(error.code));
}

const unfinished: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Unavailable,
  Code.ResourceExhausted,
  Code.InvalidArgument,
]);
