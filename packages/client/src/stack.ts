import type { Clock } from "@weft/context";
import type { Retry, RetryBudget } from "@weft/policy";
import type { Balancer } from "./balancer/balancer.ts";
import { compose, type Next } from "./call.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Endpoints } from "./endpoints.ts";
import { attemptTimeoutLayer } from "./layers/attempt-timeout.ts";
import { deadlineLayer } from "./layers/deadline.ts";
import { hedgeLayer } from "./layers/hedge.ts";
import { idempotencyKeyLayer } from "./layers/idempotency-key.ts";
import { pickLayer } from "./layers/pick.ts";
import { retryLayer } from "./layers/retry.ts";
import { spanLayer } from "./layers/span.ts";
import type { MeshEvent } from "./mesh-event.ts";

export interface ClientStackParts {
  /** The calling service's own name. */
  readonly caller: string;
  readonly endpoints: Endpoints;
  readonly balancer: Balancer<Endpoint>;
  readonly budget: RetryBudget;
  readonly retries: Map<string, Retry>;
  readonly emit: (event: MeshEvent) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newKey: () => string;
}

/** What a call passes on its way to the wire, outermost first. */
export function clientStack(parts: ClientStackParts): Next {
  const { clock } = parts;
  return compose(
    [
      spanLayer(parts.caller), // trace, correlation id, who calls
      deadlineLayer(clock), // the caller's remaining time, or the contract's
      idempotencyKeyLayer(parts.newKey), // retries of a keyed method are one command
      retryLayer(parts), // what is safe, within the budget and the time left
      hedgeLayer(parts.budget), // instead of it, where the contract says so
    ],
    pickLayer(
      parts.endpoints, // each attempt picks anew, past open circuits and full queues
      parts.balancer,
      (endpoint) =>
        attemptTimeoutLayer((call) =>
          call.send(
            endpoint.connection.transport,
            call.header,
            Math.max(0, Math.floor(call.deadline - clock.now())),
            call.signal,
          ),
        ),
      parts.emit,
    ),
  );
}
