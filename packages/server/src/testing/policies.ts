import { Health } from "@weft/contracts";
import type { MethodPolicy, ServicePolicies } from "@weft/policy";

export const defaultPolicy: MethodPolicy = {
  timeoutMs: 5_000,
  idempotent: true,
  idempotencyKey: false,
  retry: undefined,
  hedge: undefined,
  circuitBreaker: { trip: { kind: "consecutive", failures: 5 }, openForMs: 60_000, halfOpenSuccesses: 3 },
  bulkhead: undefined,
  allowedCallers: [],
  criticality: "normal",
  balancer: { kind: "peak-ewma" },
};

export function policies(change: Partial<MethodPolicy> = {}): ServicePolicies {
  const policy = { ...defaultPolicy, ...change };
  return { service: Health.typeName, methods: { check: policy, list: policy, watch: policy } };
}
