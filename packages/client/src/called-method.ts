import type { DescMethod } from "@bufbuild/protobuf";
import type { CodeName } from "@weft/policy";
import { type Attributes, type CallDurations, type DurationHistogram, durationHistogram } from "@weft/telemetry";

const durations: DurationHistogram = durationHistogram(
  "weft.client",
  "rpc.client.call.duration",
  "how long calls took, with all of their attempts",
);

/** What all calls of one method have in common, made with the first of them. */
export interface CalledMethod {
  readonly method: DescMethod;
  /** `package.Service/Method`. */
  readonly scope: string;
  /** OpenTelemetry's, for spans and metrics. */
  readonly attributes: Attributes;
  /** By status. */
  duration(code: CodeName | "OK"): CallDurations;
}

export function calledMethod(method: DescMethod): CalledMethod {
  const scope = `${method.parent.typeName}/${method.name}`;
  const attributes = { "rpc.system.name": "grpc", "rpc.method": scope };
  const byCode = new Map<string, CallDurations>();
  return {
    method,
    scope,
    attributes,
    duration(code) {
      let known = byCode.get(code);
      if (known === undefined) {
        known = durations.of({
          ...attributes,
          "rpc.status_code": code,
          ...(code !== "OK" && { "error.type": code }),
        });
        byCode.set(code, known);
      }
      return known;
    },
  };
}
