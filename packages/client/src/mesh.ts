import { randomUUID } from "node:crypto";
import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { type Clock, systemClock } from "@weft/context";
import type { LivePolicies, ServicePolicies } from "@weft/policy";
import type { Instance, Registry } from "@weft/registry";
import { connect, type TransportKind } from "@weft/rpc";
import { type Channel, openChannel } from "./channel.ts";
import type { ChannelState } from "./channel-state.ts";
import type { CallExplanation } from "./explain/explanation.ts";
import { createRecorder, type ExplainOptions } from "./explain/recorder.ts";
import { cancelOnLeave } from "./leave-early.ts";
import type { MeshEvent } from "./mesh-event.ts";

export interface MeshOptions {
  /** The calling service's own name: its callees see it. */
  readonly service: string;
  readonly registry: Pick<Registry, "watch">;
  /** What carries the calls; default "wire". */
  readonly transport?: TransportKind;
  /** Connect's interceptors around each attempt that is sent to an instance, the first outermost. */
  readonly interceptors?: (instance: Instance) => Interceptor[];
  /** The zone that the caller is in: calls stay in it while it can take them. Default: zones mean nothing. */
  readonly zone?: string;
  /** Of a fleet that is larger, so many instances are used: of the zone and of the others each. Default: all. */
  readonly subsetSize?: number;
  /** Which traces' calls are kept for `explain`. Default: none. */
  readonly explain?: ExplainOptions;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly newKey?: () => string;
}

/** A contract's methods, and the policies that their calls follow, which all clients of the service in this process share. */
export type MeshClient<S extends DescService> = Client<S> & { readonly policies: LivePolicies };

export interface MeshState {
  readonly services: readonly ChannelState[];
}

/** Every client of a process: one channel a service, whatever number of clients is made of it. */
export interface Mesh {
  /** A client whose every call follows the contract's policies. Generated code calls this. */
  client<S extends DescService>(service: S, policies: ServicePolicies): MeshClient<S>;
  /** What each policy of each endpoint is doing now. */
  getState(): MeshState;
  /** Calls `listener` with each retry and each change of a circuit, until the function that it returns is called. */
  onEvent(listener: (event: MeshEvent) => void): () => void;
  /** What became of the calls of a trace that this process made, oldest first; none unless `explain` is on and the trace is one of its share. */
  explain(traceId: string): readonly CallExplanation[];
  /** Ends the watches and the connections. */
  close(): Promise<void>;
}

/**
 * An instance that says nothing for so long while calls wait for it is left for another one, well within the default timeout. One whose
 * server takes few streams a connection gets some more connections.
 */
const reach = { pingIntervalMs: 1_000, pingTimeoutMs: 1_000, maxConnections: 4 };

export function createMesh(options: MeshOptions): Mesh {
  const { service: caller, registry, clock = systemClock, random = Math.random, newKey = randomUUID } = options;
  const { transport = "wire", interceptors = () => [] } = options;
  if (!/^[!-~]{1,128}$/.test(caller))
    throw new RangeError(`"${caller}" can't be the calling service's name: 1 to 128 characters of visible ASCII.`);
  const recorder = options.explain && createRecorder(options.explain);
  const channels = new Map<string, Channel>();
  const listeners = new Set<(event: MeshEvent) => void>();
  const emit = (event: MeshEvent): void => {
    for (const listener of listeners) {
      try {
        listener(event);
      } catch (error) {
        // Never the call's result.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  };
  return {
    client(service, policies) {
      if (policies.service !== service.typeName) {
        throw new Error(
          `The policies of ${policies.service} were given for ${service.typeName}: import both from one contract.`,
        );
      }
      let channel = channels.get(service.typeName);
      if (!channel) {
        channel = openChannel({
          service,
          policies,
          caller,
          registry,
          connect: (instance) => {
            const { host, port } = instance;
            return connect({ host, port, transport, interceptors: interceptors(instance), ...reach });
          },
          emit,
          recorder,
          zone: options.zone,
          subsetSize: options.subsetSize,
          clock,
          random,
          newKey,
        });
        channels.set(service.typeName, channel);
      }
      const { transport: own, policies: live } = channel;
      return Object.defineProperty(cancelOnLeave(service, createClient(service, own)), "policies", {
        value: live,
      }) as MeshClient<typeof service>;
    },
    explain: (traceId) => recorder?.of(traceId) ?? [],
    getState: () => ({ services: [...channels.values()].map((channel) => channel.getState()) }),
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      for (const channel of channels.values()) channel.close();
      channels.clear();
    },
  };
}
