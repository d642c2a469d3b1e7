import type { Clock } from "@weft/context";
import type { RetryBudget } from "@weft/policy";
import { compose, type Next } from "./call.ts";
import type { Recorder } from "./explain/recorder.ts";
import { attemptLayer } from "./layers/attempt.ts";
import { deadlineLayer } from "./layers/deadline.ts";
import { explainLayer } from "./layers/explain.ts";
import { hedgeLayer } from "./layers/hedge.ts";
import { idempotencyKeyLayer } from "./layers/idempotency-key.ts";
import { type PickParts, pickLayer } from "./layers/pick.ts";
import { type RetryParts, retryLayer } from "./layers/retry.ts";
import { spanLayer } from "./layers/span.ts";

export interface ClientStackParts extends PickParts, RetryParts {
  /** The calling service's own name. */
  readonly caller: string;
  readonly budget: RetryBudget;
  /** Absent where no call is explained. */
  readonly recorder: Recorder | undefined;
  readonly clock: Clock;
  readonly newKey: () => string;
}

/** What a call passes on its way to the wire, outermost first. */
export function clientStack(parts: ClientStackParts): Next {
  const { clock } = parts;
  return compose(
    [
      spanLayer(parts.caller, clock), // trace, correlation id, who calls; duration
      explainLayer(parts.recorder, clock), // what became of it, for who asks later
      deadlineLayer(clock), // the caller's remaining time, or the contract's
      idempotencyKeyLayer(parts.newKey), // retries of a keyed method are one command
      retryLayer(parts), // what is safe, within the budget and the time left
      hedgeLayer(parts.budget, clock), // instead of it, where the contract says so
    ],
    pickLayer(
      parts, // each attempt picks anew; breaker, bulkhead and load of who is picked
      attemptLayer(clock), // for as long as the attempt may take
    ),
  );
}
