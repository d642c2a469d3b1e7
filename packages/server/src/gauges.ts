import { meter } from "@weft/telemetry";
import type { ServerState } from "./server-state.ts";

/** Reports the server's load as metrics, until the function that it returns is called. */
export function observeServer(getState: () => ServerState): () => void {
  const meters = meter("weft.server");
  const inFlight = meters.createObservableGauge("weft.server.in_flight");
  const limit = meters.createObservableGauge("weft.server.concurrency.limit", {
    description: "calls that it can serve at once, as far as it has found out",
  });
  const running = meters.createObservableGauge("weft.server.bulkhead.running");
  const queued = meters.createObservableGauge("weft.server.bulkhead.queued");
  const observe: Parameters<typeof meters.addBatchObservableCallback>[0] = (result) => {
    const state = getState();
    result.observe(inFlight, state.inFlight);
    if (state.shedding) result.observe(limit, state.shedding.limit);
    for (const bulkhead of state.bulkheads) {
      result.observe(running, bulkhead.running, { group: bulkhead.group });
      result.observe(queued, bulkhead.queued, { group: bulkhead.group });
    }
  };
  meters.addBatchObservableCallback(observe, [inFlight, limit, running, queued]);
  return () => meters.removeBatchObservableCallback(observe, [inFlight, limit, running, queued]);
}
