import type { BatchObservableCallback } from "@opentelemetry/api";
import { meter } from "@weft/telemetry";

type Backlog = { readonly depth: number; readonly lagMs: number };

export interface RelayMetrics {
  published(subject: string): void;
  failed(subject: string): void;
  close(): void;
}

/** `backlog` is asked at each collection, and answers undefined where nobody else should. */
export function createRelayMetrics(service: string, backlog: () => Promise<Backlog | undefined>): RelayMetrics {
  const events = meter("weft.events");
  const published = events.createCounter("weft.events.published", {
    description: "Events that the broker acknowledged, or refused",
  });
  const depth = events.createObservableGauge("weft.outbox.depth", { description: "Events that have not left" });
  const lag = events.createObservableGauge("weft.outbox.lag", {
    description: "Age of the oldest event that has not left",
    unit: "ms",
  });
  const observe: BatchObservableCallback = async (result) => {
    const now = await backlog().catch(() => undefined);
    if (!now) return;
    result.observe(depth, now.depth, { service });
    result.observe(lag, now.lagMs, { service });
  };
  events.addBatchObservableCallback(observe, [depth, lag]);
  return {
    published: (subject) => published.add(1, { service, subject, outcome: "published" }),
    failed: (subject) => published.add(1, { service, subject, outcome: "failed" }),
    close: () => events.removeBatchObservableCallback(observe, [depth, lag]),
  };
}
