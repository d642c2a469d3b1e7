import type { Clock } from "@weft/context";
import { createOutlierDetector, type MethodPolicy, type OutlierDetector } from "@weft/policy";
import type { Instance, Registry } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import { Endpoint, endpointId } from "./endpoint.ts";
import type { MeshEvent } from "./mesh-event.ts";
import { waitIn } from "./wait-in.ts";

/**
 * The instances of one service that take calls, kept current by a watch. Those that stay registered keep their connection
 * and statistics, also while they take none.
 */
export interface Endpoints {
  /** Whether the first list is here. */
  readonly isReady: boolean;
  readonly isClosed: boolean;
  /** Resolves once it is. Rejects as soon as the signal fires or the time, in milliseconds, is up. */
  whenReady(signal: AbortSignal | undefined, ms: number): Promise<void>;
  readonly up: readonly Endpoint[];
  readonly detector: OutlierDetector;
  /** From now on these are the policies that calls have. */
  keepOnly(policies: readonly MethodPolicy[]): void;
  close(): void;
}

export interface EndpointsOptions {
  readonly registry: Pick<Registry, "watch">;
  readonly service: string;
  readonly connect: (instance: Instance) => Connection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly emit: (event: MeshEvent) => void;
  /** Which of the instances that take calls this client uses. */
  readonly choose: (instances: readonly Instance[]) => readonly Instance[];
  /** The list of those that take calls has changed. */
  readonly onChange: (up: readonly Endpoint[]) => void;
}

/** An answer proves for so long that an instance is there. */
const answersForMs = 5_000;

export function watchEndpoints(options: EndpointsOptions): Endpoints {
  const { registry, service, connect, clock, random, emit, choose, onChange } = options;
  let known = new Map<string, Endpoint>();
  let up: readonly Endpoint[] = [];
  let isReady = false;
  let isClosed = false;
  const waiting = new Set<() => void>();
  const detector = createOutlierDetector({
    clock,
    random,
    onChange(event) {
      const instance = known.get(event.id)?.instance.instance;
      const cause = event.kind === "ejected" ? event.cause : undefined;
      if (instance !== undefined) emit({ kind: "outlier", service, instance, change: event.kind, cause });
    },
  });
  const sweeping = setInterval(() => detector.sweep(), detector.policy.intervalMs).unref();

  function open(instance: Instance): Endpoint {
    const about = { service, instance: instance.instance };
    return new Endpoint(instance, {
      connect,
      outlier: detector.track(endpointId(instance)),
      clock,
      random,
      onBreakerChange: (_, state) => emit({ kind: "circuit", ...about, state }),
      onReachabilityChange: ({ reachable }) => emit({ kind: "connection", ...about, reachable }),
    });
  }

  /** Whether it has answered lately: then it is there, whatever became of its heartbeats. */
  function stillAnswers(instance: Instance): boolean {
    const answeredAt = known.get(endpointId(instance))?.answeredAt;
    return answeredAt !== undefined && clock.now() - answeredAt < answersForMs;
  }

  const watch = registry.watch(
    service,
    (instances) => {
      const next = new Map<string, Endpoint>();
      const chosen = new Set(choose(instances.filter(({ state }) => state === "UP")));
      const taking: Endpoint[] = [];
      const resting: Endpoint[] = [];
      for (const instance of instances) {
        const id = endpointId(instance);
        const endpoint = known.get(id) ?? (chosen.has(instance) ? open(instance) : undefined);
        if (endpoint === undefined) continue;
        next.set(id, endpoint);
        if (chosen.has(instance)) {
          endpoint.outlier = detector.track(id);
          taking.push(endpoint);
        } else {
          // It takes no calls: half of those that do may be out.
          resting.push(endpoint);
        }
      }
      const before = known;
      known = next;
      up = taking;
      isReady = true;
      for (const go of waiting) go();
      // Those that take calls are all known before the others are forgotten.
      for (const endpoint of resting) endpoint.outlier.forget();
      for (const [id, endpoint] of before) if (!next.has(id)) endpoint.retire();
      onChange(up);
    },
    { stillAnswers },
  );
  return {
    get isReady() {
      return isReady;
    },
    get isClosed() {
      return isClosed;
    },
    whenReady: (signal, ms) => waitIn(waiting, signal, ms),
    get up() {
      return up;
    },
    detector,
    keepOnly(policies) {
      for (const endpoint of known.values()) endpoint.keepOnly(policies);
    },
    close() {
      isClosed = true;
      watch.close();
      clearInterval(sweeping);
      for (const endpoint of known.values()) endpoint.close();
      known = new Map();
      up = [];
      onChange(up);
      for (const go of waiting) go();
    },
  };
}
