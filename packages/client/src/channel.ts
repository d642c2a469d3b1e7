import type { DescService } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Clock } from "@weft/context";
import { createRetryBudget, type Retry, type ServicePolicies } from "@weft/policy";
import type { Instance, Registry } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import { createRoundRobin } from "./balancer/round-robin.ts";
import type { ChannelState } from "./channel-state.ts";
import { watchEndpoints } from "./endpoints.ts";
import { observeChannel } from "./gauges.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { clientStack } from "./stack.ts";
import { meshTransport } from "./transport.ts";

/** All calls of one process to one service. */
export interface Channel {
  readonly transport: Transport;
  getState(): ChannelState;
  close(): void;
}

export interface ChannelOptions {
  readonly service: DescService;
  readonly policies: ServicePolicies;
  readonly caller: string;
  readonly registry: Pick<Registry, "watch">;
  readonly connect: (instance: Instance) => Connection;
  readonly emit: (event: MeshEvent) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newKey: () => string;
}

export function openChannel(options: ChannelOptions): Channel {
  const { service, policies, caller, registry, connect, emit, clock, random, newKey } = options;
  const circuits = meter("weft.client").createCounter("weft.client.circuit.changes");
  const budget = createRetryBudget({ clock });
  const retries = new Map<string, Retry>();
  const endpoints = watchEndpoints(registry, service.typeName, connect, clock, {
    onBreakerChange({ instance: { instance } }, state) {
      circuits.add(1, { "rpc.service": service.typeName, state });
      emit({ kind: "circuit", service: service.typeName, instance, state });
    },
  });
  const stack = clientStack({
    caller,
    endpoints,
    balancer: createRoundRobin(random),
    budget,
    retries,
    emit,
    clock,
    random,
    newKey,
  });
  const policyOf = (method: { localName: string; name: string }) => {
    const policy = policies.methods[method.localName];
    if (!policy) throw new Error(`${service.typeName}/${method.name} has no policy: run \`buf generate\`.`);
    return policy;
  };
  const getState = (): ChannelState => ({
    service: service.typeName,
    endpoints: endpoints.up.map((endpoint) => endpoint.getState()),
    retryBudget: budget.getState(),
    retries: Object.fromEntries([...retries].map(([method, retry]) => [method, retry.getState()])),
  });
  const stopObserving = observeChannel(getState);
  return {
    transport: meshTransport(policyOf, stack, clock),
    getState,
    close() {
      stopObserving();
      endpoints.close();
    },
  };
}
