import type { ServiceImpl } from "@connectrpc/connect";
import { Health } from "@weft/contracts";
import type { MethodPolicy, ServicePolicies } from "@weft/policy";
import { createMemoryRegistry, type Lease, type Registry } from "@weft/registry";
import { type Listener, listen } from "@weft/rpc";

type HealthImpl = Partial<ServiceImpl<typeof Health>>;

/** The contract's defaults, as the generator writes them for an idempotent method. */
export const defaultPolicy: MethodPolicy = {
  timeoutMs: 5_000,
  idempotent: true,
  idempotencyKey: false,
  retry: {
    maxAttempts: 3,
    perAttemptTimeoutMs: undefined,
    baseDelayMs: 1,
    maxDelayMs: 10,
    multiplier: 2,
    jitter: 0.5,
    codes: ["UNAVAILABLE"],
  },
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

/** Real servers on real sockets, found through a registry in memory. */
export interface Harness extends AsyncDisposable {
  readonly registry: Registry;
  start(instance: string, implementation: HealthImpl): Promise<{ readonly lease: Lease; readonly listener: Listener }>;
}

export function createHarness(): Harness {
  const registry = createMemoryRegistry();
  const listeners: Listener[] = [];
  return {
    registry,
    async start(instance, implementation) {
      const routes: Parameters<typeof listen>[0]["routes"] = (router) => router.service(Health, implementation);
      const listener = await listen({ host: "127.0.0.1", port: 0, routes });
      listeners.push(listener);
      const { host, port } = listener;
      const lease = await registry.register({ service: Health.typeName, instance, host, port, metadata: {} });
      return { lease, listener };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(listeners.map((listener) => listener.close()));
      await registry.close();
    },
  };
}
