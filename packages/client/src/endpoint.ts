import type { Clock } from "@weft/context";
import {
  type Breaker,
  type Bulkhead,
  createBreaker,
  createBulkhead,
  type MethodPolicy,
  type OutlierEndpoint,
  type OutlierState,
} from "@weft/policy";
import type { Instance } from "@weft/registry";
import type { Connection, PoolState } from "@weft/rpc";
import type { Candidate } from "./balancer/contract.ts";
import { EndpointLoad } from "./balancer/endpoint-load.ts";
import { blamesEndpoint } from "./errors.ts";
import { askWhetherThere, createProbe, type Probe } from "./probe.ts";

export interface EndpointState {
  readonly instance: string;
  readonly epoch: number;
  readonly address: string;
  readonly inFlight: number;
  /** The peak EWMA of its latency, milliseconds; 0 while too little is known. */
  readonly latencyMs: number;
  /** Whether its last call, or the last question since, was answered by anybody. */
  readonly reachable: boolean;
  /** Connections that are open, and calls that wait for one; undefined before its first call. */
  readonly pool: PoolState | undefined;
  /** What comparing it with the others has come to. */
  readonly outlier: OutlierState;
  readonly breakers: readonly ReturnType<Breaker["getState"]>[];
  readonly bulkheads: readonly ReturnType<Bulkhead["getState"]>[];
}

export interface EndpointParts {
  readonly connect: (instance: Instance) => Connection;
  readonly outlier: OutlierEndpoint;
  readonly clock: Clock;
  readonly random: () => number;
  onBreakerChange(endpoint: Endpoint, state: "closed" | "open" | "half-open"): void;
  onReachabilityChange(endpoint: Endpoint): void;
}

/** What judges an endpoint's calls of one policy. */
export interface Guard {
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead | undefined;
}

/**
 * One instance as its callers see it: a connection, its load, and the policies that judge it. Methods whose contract says the same
 * of the breaker share one; those that name the same group share a bulkhead.
 */
export class Endpoint implements Candidate {
  readonly id: string;
  readonly instance: Instance;
  readonly weight: number;
  readonly zone: string | undefined;
  readonly since: number;
  readonly load = new EndpointLoad();
  /** The clock's reading at its last answer. */
  answeredAt = Number.NEGATIVE_INFINITY;
  /** Another one each time that the instance begins to take calls. */
  outlier: OutlierEndpoint;
  readonly #parts: EndpointParts;
  readonly #guards = new Map<MethodPolicy, Guard>();
  readonly #breakers = new Map<string, Breaker>();
  readonly #bulkheads = new Map<string, Bulkhead>();
  readonly #probe: Probe;
  #connection: Connection | undefined;
  #retired = false;

  constructor(instance: Instance, parts: EndpointParts) {
    const { clock, random } = parts;
    this.id = endpointId(instance);
    this.instance = instance;
    this.weight = weightOf(instance);
    this.zone = instance.metadata.zone;
    this.since = clock.now();
    this.outlier = parts.outlier;
    this.#parts = parts;
    this.#probe = createProbe({
      ask: () => askWhetherThere(this.connection.transport, instance.service),
      onThere: () => this.#isThereAgain(),
      onGone: () => void this.outlier.unreachable(),
      random,
    });
  }

  get connection(): Connection {
    this.#connection ??= this.#parts.connect(this.instance);
    return this.#connection;
  }

  /** False from a call that the connection failed until something has answered there again. */
  get reachable(): boolean {
    return !this.#probe.isRunning;
  }

  guard(policy: MethodPolicy): Guard {
    let guard = this.#guards.get(policy);
    if (guard === undefined) {
      guard = { breaker: this.#breakerOf(policy), bulkhead: this.#bulkheadOf(policy) };
      this.#guards.set(policy, guard);
    }
    return guard;
  }

  /** Whether it is a candidate for a call: there, no outlier, and its circuit lets the call through. */
  admits(policy: MethodPolicy): boolean {
    return this.reachable && this.outlier.admits && this.guard(policy).breaker.admits();
  }

  /** A call got no answer because of the connection. From now on it is asked, until it is there again, and takes no calls. */
  lost(): void {
    if (this.#retired || this.#probe.isRunning) return;
    this.#probe.start();
    this.#parts.onReachabilityChange(this);
  }

  /** A call ended here, for good or ill. A retired endpoint closes with its last one. */
  release(): void {
    this.load.release();
    if (this.#retired && this.load.inFlight === 0) this.close();
  }

  /** The instance left the registry: no new call comes, the running ones end. */
  retire(): void {
    this.#retired = true;
    this.#probe.stop();
    this.outlier.forget();
    if (this.load.inFlight === 0) this.close();
  }

  close(): void {
    this.#retired = true;
    this.#probe.stop();
    this.#connection?.close();
    this.#connection = undefined;
  }

  getState(): EndpointState {
    const { instance, epoch, host, port } = this.instance;
    return {
      instance,
      epoch,
      address: `${host}:${port}`,
      inFlight: this.load.inFlight,
      latencyMs: this.load.latency(this.#parts.clock.now()),
      reachable: this.reachable,
      pool: this.#connection?.getPool?.(),
      outlier: this.outlier.getState().state,
      breakers: [...this.#breakers.values()].map((breaker) => breaker.getState()),
      bulkheads: [...this.#bulkheads.values()].map((bulkhead) => bulkhead.getState()),
    };
  }

  #isThereAgain(): void {
    this.load.forget();
    this.outlier.reachable();
    // What opened the circuit may have been the silence alone: calls decide, and the first failure opens it again.
    for (const breaker of this.#breakers.values()) breaker.probeNow();
    this.#parts.onReachabilityChange(this);
  }

  #breakerOf(policy: MethodPolicy): Breaker {
    const key = circuitOf(policy);
    let breaker = this.#breakers.get(key);
    if (!breaker) {
      breaker = createBreaker(policy.circuitBreaker, {
        isFailure: blamesEndpoint,
        clock: this.#parts.clock,
        onStateChange: (state) => this.#parts.onBreakerChange(this, state),
      });
      this.#breakers.set(key, breaker);
    }
    return breaker;
  }

  /** Of a group there is one. Its size follows the policies of now, in `keepOnly`, and not those of a call that began before. */
  #bulkheadOf({ bulkhead: policy }: MethodPolicy): Bulkhead | undefined {
    if (policy === undefined) return undefined;
    let bulkhead = this.#bulkheads.get(policy.group);
    if (!bulkhead) {
      bulkhead = createBulkhead(policy);
      this.#bulkheads.set(policy.group, bulkhead);
    }
    return bulkhead;
  }

  /** The policies that were replaced are forgotten, with the breakers that nobody uses any more. */
  keepOnly(policies: readonly MethodPolicy[]): void {
    const kept = new Set(policies);
    for (const policy of this.#guards.keys()) if (!kept.has(policy)) this.#guards.delete(policy);
    const keys = new Set(policies.map(circuitOf));
    for (const key of this.#breakers.keys()) if (!keys.has(key)) this.#breakers.delete(key);
    const groups = new Map(policies.flatMap(({ bulkhead }) => (bulkhead ? [[bulkhead.group, bulkhead]] : [])));
    for (const [group, bulkhead] of this.#bulkheads) {
      const policy = groups.get(group);
      if (policy) bulkhead.resize(policy);
      else this.#bulkheads.delete(group);
    }
  }
}

/** What can't be a weight, though somebody may have written it, is none. */
function weightOf({ metadata: { weight = 1 } }: Instance): number {
  return Number.isFinite(weight) && weight > 0 && weight <= 1_000 ? weight : 1;
}

/** Methods that have the same share a circuit. */
export function circuitOf({ circuitBreaker }: MethodPolicy): string {
  return JSON.stringify(circuitBreaker);
}

/** Instance + epoch: a restart is somebody else. */
export function endpointId(instance: Pick<Instance, "instance" | "epoch">): string {
  return `${instance.instance}@${instance.epoch}`;
}
