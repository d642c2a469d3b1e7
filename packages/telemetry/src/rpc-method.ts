import type { Attributes } from "@opentelemetry/api";
import type { CallDurations, DurationHistogram } from "./call-durations.ts";
import { recordError, type Span } from "./span.ts";

/** What telemetry has to say of all calls of one method, on either side of them. */
export interface RpcMethod {
  /** OpenTelemetry's, for spans and metrics. */
  readonly attributes: Attributes;
  /**
   * A call has ended: its duration is recorded, and its span ended, where there is one. `status` is gRPC's by name; `error` is undefined when it
   * is OK.
   */
  ended(span: Span | undefined, milliseconds: number, status: string, error: unknown): void;
}

/** `scope`: `package.Service/Method`. */
export function rpcMethod(scope: string, durations: DurationHistogram): RpcMethod {
  const attributes = { "rpc.system.name": "grpc", "rpc.method": scope };
  const byStatus = new Map<string, CallDurations>();
  const durationOf = (status: string): CallDurations => {
    let known = byStatus.get(status);
    if (known === undefined) {
      known = durations.of({
        ...attributes,
        "rpc.status_code": status,
        ...(status !== "OK" && { "error.type": status }),
      });
      byStatus.set(status, known);
    }
    return known;
  };
  return {
    attributes,
    ended(span, milliseconds, status, error) {
      durationOf(status).record(milliseconds);
      if (span === undefined) return;
      span.setAttribute("rpc.status_code", status);
      if (error !== undefined) {
        span.setAttribute("error.type", status);
        recordError(span, error);
      }
      span.end();
    },
  };
}
