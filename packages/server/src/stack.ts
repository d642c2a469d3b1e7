import type { Interceptor } from "@connectrpc/connect";
import type { Clock } from "@weft/context";
import type { Bulkhead } from "@weft/policy";
import type { Logger } from "@weft/telemetry";
import { allowedCallersLayer } from "./layers/allowed-callers.ts";
import { bulkheadLayer } from "./layers/bulkhead.ts";
import { contextLayer } from "./layers/context.ts";
import { deadlineLayer, stillWantedLayer } from "./layers/deadline.ts";
import { drainLayer } from "./layers/drain.ts";
import { type ErrorMapper, errorLayer } from "./layers/errors.ts";
import { spanLayer } from "./layers/span.ts";
import { validateLayer } from "./layers/validate.ts";
import type { ServedMethod } from "./serve.ts";

export interface ServerStackParts {
  readonly methods: ReadonlyMap<string, ServedMethod>;
  readonly bulkheads: ReadonlyMap<string, Bulkhead>;
  readonly inFlight: Interceptor;
  /** Fires when the server begins to drain. */
  readonly draining: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly mapError?: ErrorMapper;
}

/**
 * What a call passes on its way to the handler, outermost first; it is the same for gRPC, gRPC-Web and Connect. Keyed
 * methods are wrapped once more, right at the handler (idempotency.ts).
 */
export function serverStack(parts: ServerStackParts): Interceptor[] {
  const { methods, bulkheads, logger, clock, mapError = () => undefined } = parts;
  return [
    spanLayer(), // trace, correlation id, duration
    parts.inFlight, // load
    errorLayer(logger, mapError), // nothing internal leaves
    drainLayer(parts.draining), // streams end when the server goes away
    allowedCallersLayer(methods), // who may call
    deadlineLayer(methods, clock), // expired: not started
    bulkheadLayer(methods, bulkheads), // the group's size, and its queue
    stillWantedLayer(clock), // it may have queued too long
    validateLayer(), // the contract's rules
    contextLayer(), // streams run in their call's context
  ];
}
