import { Code, ConnectError } from "@connectrpc/connect";
import { type Clock, headers } from "@weft/context";
import {
  type ConcurrencyLimit,
  type ConcurrencyLimitPolicy,
  createConcurrencyLimit,
  type LimitOutcome,
} from "@weft/policy";
import { meter } from "@weft/telemetry";
import { answersWithStream, type Layer, takesStream } from "../layer.ts";

/** How often the event loop's delay is taken, in milliseconds. */
const lookMs = 20;

/** What the server turns out to be able to do, and the timer that it learns the event loop's delay by. */
export interface LoadGuard {
  readonly limit: ConcurrencyLimit;
  close(): void;
}

export function createLoadGuard(policy: Partial<ConcurrencyLimitPolicy>, clock: Clock): LoadGuard {
  const limit = createConcurrencyLimit({
    policy,
    onTurn: (ended) => void setImmediate(() => ended(clock.now())),
  });
  let due = clock.now() + lookMs;
  const timer = setInterval(() => {
    const now = clock.now();
    limit.observeLoopDelay(Math.max(0, now - due), now);
    due = now + lookMs;
  }, lookMs).unref();
  return { limit, close: () => clearInterval(timer) };
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
    const startedAt = clock.now();
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
    let hasPlace = true;
    const leave = (outcome: LimitOutcome): void => {
      if (hasPlace) method.end(startedAt, clock.now(), outcome);
      hasPlace = false;
    };
    // How long a stream lasts tells nothing, and it would keep its place for hours. Nor does it tell of this server how long another one
    // takes: whoever calls that one frees its place, so that a slow dependency is no reason to shed what has nothing to do with it.
    if (answersWithStream(call.method) || takesStream(call.method)) leave("ignored");
    else {
      call.downstream.onCall = () => leave("ignored");
      call.atEnd((error) => leave(isAnswer(error) ? "answered" : "ignored"));
    }
    return next(call);
  };
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
