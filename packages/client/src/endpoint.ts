import type { Clock } from "@weft/context";
import { type Breaker, type Bulkhead, createBreaker, createBulkhead, type MethodPolicy } from "@weft/policy";
import type { Instance } from "@weft/registry";
import type { Connection } from "@weft/rpc";
import type { Candidate } from "./balancer/balancer.ts";
import { blamesEndpoint, tellsNothing } from "./errors.ts";

export interface EndpointState {
  readonly instance: string;
  readonly epoch: number;
  readonly address: string;
  readonly inFlight: number;
  readonly breakers: readonly ReturnType<Breaker["getState"]>[];
  readonly bulkheads: readonly ReturnType<Bulkhead["getState"]>[];
}

export interface EndpointEvents {
  onBreakerChange(endpoint: Endpoint, state: "closed" | "open" | "half-open"): void;
}

/**
 * One instance as its callers see it: a connection, and the policies that judge it. Methods whose contract says the same
 * of the breaker share one; those that name the same group share a bulkhead.
 */
export class Endpoint implements Candidate {
  readonly id: string;
  readonly instance: Instance;
  inFlight = 0;
  readonly #connect: (instance: Instance) => Connection;
  readonly #clock: Clock;
  readonly #events: EndpointEvents;
  readonly #breakers = new Map<string, Breaker>();
  readonly #bulkheads = new Map<string, Bulkhead>();
  #connection: Connection | undefined;
  #retired = false;

  constructor(instance: Instance, connect: (instance: Instance) => Connection, clock: Clock, events: EndpointEvents) {
    this.id = endpointId(instance);
    this.instance = instance;
    this.#connect = connect;
    this.#clock = clock;
    this.#events = events;
  }

  get connection(): Connection {
    this.#connection ??= this.#connect(this.instance);
    return this.#connection;
  }

  breaker(policy: MethodPolicy): Breaker {
    const key = JSON.stringify(policy.circuitBreaker);
    let breaker = this.#breakers.get(key);
    if (!breaker) {
      breaker = createBreaker(policy.circuitBreaker, {
        isFailure: blamesEndpoint,
        isIgnored: tellsNothing,
        clock: this.#clock,
        onStateChange: (state) => this.#events.onBreakerChange(this, state),
      });
      this.#breakers.set(key, breaker);
    }
    return breaker;
  }

  bulkhead(policy: MethodPolicy): Bulkhead | undefined {
    if (!policy.bulkhead) return undefined;
    let bulkhead = this.#bulkheads.get(policy.bulkhead.group);
    if (!bulkhead) {
      bulkhead = createBulkhead(policy.bulkhead);
      this.#bulkheads.set(policy.bulkhead.group, bulkhead);
    }
    return bulkhead;
  }

  /** Whether the circuit would let a call through now. */
  admits(policy: MethodPolicy): boolean {
    return this.breaker(policy).admits();
  }

  /** Runs a call that counts as in flight; a retired endpoint closes with its last one. */
  async during(call: () => Promise<void>): Promise<void> {
    this.inFlight += 1;
    try {
      await call();
    } finally {
      this.inFlight -= 1;
      if (this.#retired && this.inFlight === 0) this.close();
    }
  }

  /** The instance left the registry: no new call comes, the running ones end. */
  retire(): void {
    this.#retired = true;
    if (this.inFlight === 0) this.close();
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  getState(): EndpointState {
    const { instance, epoch, host, port } = this.instance;
    return {
      instance,
      epoch,
      address: `${host}:${port}`,
      inFlight: this.inFlight,
      breakers: [...this.#breakers.values()].map((breaker) => breaker.getState()),
      bulkheads: [...this.#bulkheads.values()].map((bulkhead) => bulkhead.getState()),
    };
  }
}

/** Instance + epoch: a restart is somebody else. */
export function endpointId(instance: Pick<Instance, "instance" | "epoch">): string {
  return `${instance.instance}@${instance.epoch}`;
}
