import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type CodeName, type LivePolicies, livePolicies, type MethodPolicy, type ServicePolicies } from "@weft/policy";
import { type Attributes, type CallDurations, type DurationHistogram, durationHistogram } from "@weft/telemetry";

/** A contract, its policies, and what answers its calls. */
export interface ServedService {
  readonly service: DescService;
  readonly policies: ServicePolicies;
  readonly implementation: Partial<ServiceImpl<DescService>>;
}

/** Binds an implementation to its contract. Every method must be there: a missing one is a type error. */
export function serve<S extends DescService>(
  service: S,
  policies: ServicePolicies,
  implementation: ServiceImpl<S>,
): ServedService {
  if (policies.service !== service.typeName) {
    throw new Error(
      `The policies of ${policies.service} were given for ${service.typeName}: import both from one contract.`,
    );
  }
  return { service, policies, implementation: implementation as Partial<ServiceImpl<DescService>> };
}

/** What all calls of one method have in common. */
export interface ServedMethod {
  readonly method: DescMethod;
  /** `package.Service/Method`. */
  readonly scope: string;
  /** As it is now. */
  readonly policy: MethodPolicy;
  /** OpenTelemetry's, for spans and metrics. */
  readonly attributes: Attributes;
  /** By status. */
  duration(code: CodeName | "OK"): CallDurations;
}

const durations: DurationHistogram = durationHistogram(
  "weft.server",
  "rpc.server.call.duration",
  "how long calls took, until their answer",
);

/** A method without a contract of its own: the health check, reflection. */
export function openMethod(method: DescMethod): ServedMethod {
  const methods = { [method.localName]: withoutLimits };
  return servedMethod(method, livePolicies({ service: method.parent.typeName, methods }));
}

const withoutLimits: MethodPolicy = {
  timeoutMs: Number.POSITIVE_INFINITY,
  idempotent: true,
  idempotencyKey: false,
  retry: undefined,
  hedge: undefined,
  circuitBreaker: { trip: { kind: "consecutive", failures: 5 }, openForMs: 60_000, halfOpenSuccesses: 3 },
  bulkhead: undefined,
  allowedCallers: [],
  criticality: "critical",
  balancer: { kind: "peak-ewma" },
};

/** Throws when the contract's table of policies is older than the contract. */
export function servedMethod(method: DescMethod, policies: LivePolicies): ServedMethod {
  const scope = `${method.parent.typeName}/${method.name}`;
  if (policies.current.methods[method.localName] === undefined) {
    throw new Error(
      `${method.parent.typeName}.${method.name} has no policy: run \`buf generate\`, its table is older than its contract.`,
    );
  }
  const attributes = { "rpc.system.name": "grpc", "rpc.method": scope };
  const byCode = new Map<string, CallDurations>();
  return {
    method,
    scope,
    get policy() {
      return policies.current.methods[method.localName] as MethodPolicy;
    },
    attributes,
    duration(code) {
      let known = byCode.get(code);
      if (known === undefined) {
        known = durations.of({ ...attributes, "rpc.status_code": code, ...(code !== "OK" && { "error.type": code }) });
        byCode.set(code, known);
      }
      return known;
    },
  };
}
