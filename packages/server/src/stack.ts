import type { Clock } from "@weft/context";
import type { Logger } from "@weft/telemetry";
import type { CommandStore } from "./idempotency.ts";
import { idempotencyLayer } from "./idempotency.ts";
import type { Layer } from "./layer.ts";
import { allowedCallersLayer } from "./layers/allowed-callers.ts";
import { type Bulkheads, bulkheadLayer } from "./layers/bulkhead.ts";
import { concurrencyLayer, type LoadGuard } from "./layers/concurrency.ts";
import { contextLayer } from "./layers/context.ts";
import { deadlineLayer, stillWantedLayer } from "./layers/deadline.ts";
import { drainLayer } from "./layers/drain.ts";
import { type ErrorMapper, errorLayer } from "./layers/errors.ts";
import { spanLayer } from "./layers/span.ts";
import { validateLayer } from "./layers/validate.ts";

export interface ServerStackParts {
  readonly bulkheads: Bulkheads;
  readonly inFlight: Layer;
  /** Absent: nothing is shed. */
  readonly guard?: LoadGuard;
  /** Fires when the server begins to drain. */
  readonly draining: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly mapError?: ErrorMapper;
  /** Where responses of keyed commands are kept. */
  readonly commands?: CommandStore;
}

/** What a call passes on its way to the handler, outermost first; it is the same for gRPC, gRPC-Web and Connect. */
export function serverStack(parts: ServerStackParts): Layer[] {
  const { bulkheads, logger, clock, mapError = () => undefined } = parts;
  return [
    spanLayer(clock), // trace, correlation id, duration
    parts.inFlight, // load
    errorLayer(logger, mapError), // nothing internal leaves
    drainLayer(parts.draining), // streams end when the server goes away
    allowedCallersLayer, // who may call
    deadlineLayer, // expired: not started
    concurrencyLayer(parts.guard, clock), // what the server can do; the rest is shed
    bulkheadLayer(bulkheads, clock), // the group's size, and its queue
    stillWantedLayer(clock), // it may have queued too long
    validateLayer(), // the contract's rules
    idempotencyLayer(parts.commands), // a keyed command runs once a key
    contextLayer, // streams run in their call's context
  ];
}
