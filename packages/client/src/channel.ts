import type { DescService } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Clock } from "@weft/context";
import {
  createRetryBudget,
  type LivePolicies,
  livePolicies,
  type MethodPolicy,
  type Retry,
  type ServicePolicies,
} from "@weft/policy";
import type { Instance, Registry } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import { subset } from "./balancer/subset.ts";
import { createBalancers } from "./balancers.ts";
import type { ChannelState } from "./channel-state.ts";
import { circuitOf, endpointId } from "./endpoint.ts";
import { watchEndpoints } from "./endpoints.ts";
import type { Recorder } from "./explain/recorder.ts";
import { observeChannel } from "./gauges.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { createPicker, type Spared } from "./picker.ts";
import { clientStack } from "./stack.ts";
import { meshTransport } from "./transport.ts";

/** All calls of one process to one service. */
export interface Channel {
  readonly transport: Transport;
  readonly policies: LivePolicies;
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
  readonly recorder: Recorder | undefined;
  readonly zone: string | undefined;
  /** How many instances this process uses, of its zone and of the others; all when absent. */
  readonly subsetSize: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newKey: () => string;
}

export function openChannel(options: ChannelOptions): Channel {
  const { service, caller, registry, connect, recorder, clock, random, newKey } = options;
  const circuits = meter("weft.client").createCounter("weft.client.circuit.changes");
  const budget = createRetryBudget({ clock });
  const retries = new Map<string, Retry>();
  const policies = livePolicies(options.policies);
  const emit = (event: MeshEvent): void => {
    if (event.kind === "circuit") circuits.add(1, { "rpc.service": event.service, state: event.state });
    options.emit(event);
  };
  const balancers = createBalancers({ zone: options.zone, clock, random });
  const endpoints = watchEndpoints({
    registry,
    service: service.typeName,
    connect,
    clock,
    random,
    emit,
    choose: subsetOf(options),
    onChange: (up) => balancers.update(up),
  });
  const spared = new Map<MethodPolicy, Spared>();
  const sparedOf = (policy: MethodPolicy): Spared => {
    let known = spared.get(policy);
    if (known === undefined) {
      const repeatable = Object.values(policies.current.methods).filter(({ retry }) => retry !== undefined);
      const circuits = repeatable.some((each) => circuitOf(each) === circuitOf(policy));
      known = { outliers: repeatable.length > 0, circuits };
      spared.set(policy, known);
    }
    return known;
  };
  policies.onChange(({ methods }) => {
    retries.clear();
    spared.clear();
    endpoints.keepOnly(Object.values(methods));
  });
  const picker = createPicker(endpoints, balancers.of, sparedOf);
  const stack = clientStack({ caller, endpoints, picker, budget, retries, recorder, emit, clock, random, newKey });
  const policyOf = (method: { localName: string; name: string }) => {
    const policy = policies.current.methods[method.localName];
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
    policies,
    getState,
    close() {
      stopObserving();
      endpoints.close();
    },
  };
}

/** Those that this process uses: of a large fleet each client a few, so that nobody has connections to all (gRFC A68). */
function subsetOf({ subsetSize, zone, newKey }: ChannelOptions): (up: readonly Instance[]) => readonly Instance[] {
  if (subsetSize === undefined) return (up) => up;
  const client = newKey();
  const some = (instances: readonly Instance[]): readonly Instance[] =>
    subset(
      instances.map((instance) => ({ id: endpointId(instance), instance })),
      subsetSize,
      client,
    ).map(({ instance }) => instance);
  return (up) => [
    ...some(up.filter((each) => each.metadata.zone === zone)),
    ...some(up.filter((each) => each.metadata.zone !== zone)),
  ];
}
