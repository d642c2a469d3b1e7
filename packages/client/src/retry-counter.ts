import { meter } from "@weft/telemetry";

/**
 * Attempts that followed another one, by method and `kind`: what the contract's `retry` says (`policy`), what no server saw (`transparent`,
 * gRFC A6), and what one was too busy for, or failed while it was on trial (`elsewhere`).
 */
export function retryCounter(): ReturnType<ReturnType<typeof meter>["createCounter"]> {
  return meter("weft.client").createCounter("weft.client.retries", {
    description: "attempts that followed another one of their call, but for hedges",
  });
}
