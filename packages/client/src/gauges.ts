import { meter } from "@weft/telemetry";
import type { ChannelState } from "./channel-state.ts";
import type { EndpointState } from "./endpoint.ts";

/** Reports what the policies of a channel's endpoints are doing as metrics, until the function that it returns is called. */
export function observeChannel(getState: () => ChannelState): () => void {
  const meters = meter("weft.client");
  const open = meters.createObservableGauge("weft.client.circuits.open", {
    description: "circuits that let no call through",
  });
  const inFlight = meters.createObservableGauge("weft.client.in_flight", { description: "calls without an end yet" });
  const endpoints = meters.createObservableGauge("weft.client.endpoints", {
    description: "instances, by whether they are called",
  });
  const connections = meters.createObservableGauge("weft.client.connections", {
    description: "HTTP/2 connections that are open",
  });
  const waiting = meters.createObservableGauge("weft.client.connections.waiting", {
    description: "calls that wait for a connection with room for another stream",
  });
  const running = meters.createObservableGauge("weft.client.bulkhead.running");
  const queued = meters.createObservableGauge("weft.client.bulkhead.queued");
  const instruments = [open, inFlight, endpoints, connections, waiting, running, queued];
  const observe: Parameters<typeof meters.addBatchObservableCallback>[0] = (result) => {
    const state = getState();
    const service = { "rpc.service": state.service };
    const counts = { admitted: 0, unreachable: 0, outlier: 0 };
    for (const endpoint of state.endpoints) {
      const attributes = { ...service, "weft.instance": endpoint.instance };
      counts[conditionOf(endpoint)] += 1;
      result.observe(inFlight, endpoint.inFlight, attributes);
      result.observe(open, endpoint.breakers.filter((breaker) => breaker.state === "open").length, attributes);
      if (endpoint.pool !== undefined) {
        result.observe(connections, endpoint.pool.connections, attributes);
        result.observe(waiting, endpoint.pool.waiting, attributes);
      }
      for (const { group, ...bulkhead } of endpoint.bulkheads) {
        result.observe(running, bulkhead.running, { ...attributes, group });
        result.observe(queued, bulkhead.queued, { ...attributes, group });
      }
    }
    for (const [condition, count] of Object.entries(counts))
      result.observe(endpoints, count, { ...service, state: condition });
  };
  meters.addBatchObservableCallback(observe, instruments);
  return () => meters.removeBatchObservableCallback(observe, instruments);
}

function conditionOf({ reachable, outlier }: EndpointState): "admitted" | "unreachable" | "outlier" {
  if (!reachable) return "unreachable";
  return outlier.kind === "in" ? "admitted" : "outlier";
}
