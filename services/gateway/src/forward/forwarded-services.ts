import type { ServedService } from "@weft/service";
import type { Forwarder } from "./forwarder.ts";
import { forwardingImplementation } from "./implementation.ts";

type Policies = ServedService["policies"];

/** Public services as a server serves them that hands every call on. */
export function forwardedServices(
  services: readonly Pick<ServedService, "service" | "policies">[],
  forwarder: Forwarder,
): readonly ServedService[] {
  return services.map(({ service, policies }) => ({
    service,
    policies: handedOn(policies),
    implementation: forwardingImplementation(service, forwarder),
  }));
}

/** A contract's policies for who only hands calls on: keys and bulkheads are the service's own business. */
export function handedOn(policies: Policies): Policies {
  const methods = Object.entries(policies.methods).map(
    ([name, policy]) => [name, { ...policy, idempotencyKey: false, bulkhead: undefined }] as const,
  );
  return { service: policies.service, methods: Object.fromEntries(methods) };
}
