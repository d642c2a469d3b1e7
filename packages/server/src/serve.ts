import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { type LivePolicies, livePolicies, type MethodPolicy, type ServicePolicies } from "@weft/policy";
import { durationHistogram, type RpcMethod, rpcMethod } from "@weft/telemetry";

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
export interface ServedMethod extends RpcMethod {
  readonly method: DescMethod;
  /** `package.Service/Method`. */
  readonly scope: string;
  /** As it is now. */
  readonly policy: MethodPolicy;
}

const durations = durationHistogram(
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
  return {
    method,
    scope,
    ...rpcMethod(scope, durations),
    get policy() {
      return policies.current.methods[method.localName] as MethodPolicy;
    },
  };
}
