import { meter } from "@weft/telemetry";
import type { ChannelState } from "./channel-state.ts";

/** Reports what the policies of a channel's endpoints are doing as metrics, until the function that it returns is called. */
export function observeChannel(getState: () => ChannelState): () => void {
  const meters = meter("weft.client");
  const open = meters.createObservableGauge("weft.client.circuits.open", {
    description: "endpoints that get no calls",
  });
  const running = meters.createObservableGauge("weft.client.bulkhead.running");
  const queued = meters.createObservableGauge("weft.client.bulkhead.queued");
  const observe: Parameters<typeof meters.addBatchObservableCallback>[0] = (result) => {
    const { service, endpoints } = getState();
    for (const { instance, breakers, bulkheads } of endpoints) {
      const attributes = { "rpc.service": service, "weft.instance": instance };
      result.observe(open, breakers.filter(({ state }) => state === "open").length, attributes);
      for (const { group, ...state } of bulkheads) {
        result.observe(running, state.running, { ...attributes, group });
        result.observe(queued, state.queued, { ...attributes, group });
      }
    }
  };
  meters.addBatchObservableCallback(observe, [open, running, queued]);
  return () => meters.removeBatchObservableCallback(observe, [open, running, queued]);
}
