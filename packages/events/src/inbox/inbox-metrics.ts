import type { ObservableCallback } from "@opentelemetry/api";
import { meter } from "@weft/telemetry";

/**
 * What became of a delivery: `handled`; `skipped`, no handler for its type; `expired` before it was handled;
 * `duplicate`; `ahead` of its predecessor; `retried` after a failure; `dead`.
 */
export type Outcome = "handled" | "skipped" | "expired" | "duplicate" | "ahead" | "retried" | "dead";

export interface InboxMetrics {
  count(stream: string, subject: string, outcome: Outcome): void;
  close(): void;
}

export interface LagSource {
  readonly stream: string;
  readonly pending: () => Promise<number | undefined>;
}

export function createInboxMetrics(service: string, sources: () => readonly LagSource[]): InboxMetrics {
  const events = meter("weft.events");
  const deliveries = events.createCounter("weft.events.deliveries", {
    description: "Deliveries by what became of them",
  });
  const lag = events.createObservableGauge("weft.consumer.lag", {
    description: "Events of the stream that the consumer has not been given yet",
  });
  const observe: ObservableCallback = async (result) => {
    for (const { stream, pending } of sources()) {
      const count = await pending();
      if (count !== undefined) result.observe(count, { service, stream });
    }
  };
  lag.addCallback(observe);
  return {
    count: (stream, subject, outcome) => deliveries.add(1, { service, stream, subject, outcome }),
    close: () => lag.removeCallback(observe),
  };
}
