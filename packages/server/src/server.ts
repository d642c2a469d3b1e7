import type { ConnectRouter } from "@connectrpc/connect";
import { type Clock, systemClock } from "@weft/context";
import type { Bulkhead } from "@weft/policy";
import type { Lease, Registration, Registry } from "@weft/registry";
import { edgeLimits, type Listener, listen, meshLimits } from "@weft/rpc";
import type { Logger } from "@weft/telemetry";
import { observeServer } from "./gauges.ts";
import { createHealth, type HealthService } from "./health.ts";
import { type CommandStore, onceAKey } from "./idempotency.ts";
import { createBulkheads } from "./layers/bulkhead.ts";
import { serverGoesAway } from "./layers/drain.ts";
import type { ErrorMapper } from "./layers/errors.ts";
import { type InFlight, inFlightLayer } from "./layers/in-flight.ts";
import { registerReflection } from "./reflection.ts";
import { policyIndex, type ServedService } from "./serve.ts";
import type { ServerState } from "./server-state.ts";
import { serverStack } from "./stack.ts";

export interface ServerOptions {
  readonly services: readonly ServedService[];
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
  /** Who connects: services that know each other, or everybody. It decides how much one connection may ask for. Default "mesh". */
  readonly clients?: "mesh" | "edge";
  /** Where the instance makes itself known; absent for a server that is found otherwise. */
  readonly registration?: {
    readonly registry: Registry;
    readonly instance: string;
    /** The address that others can reach; default: the host that is listened on. */
    readonly host?: string;
    readonly metadata?: Registration["metadata"];
  };
  /** Needed by methods whose contract says `idempotency_key`. */
  readonly commands?: CommandStore;
  readonly mapError?: ErrorMapper;
  /** gRPC reflection; default on. */
  readonly reflection?: boolean;
  /** How long clients get to notice the withdrawal before connections are told to end, in milliseconds. Default 300. */
  readonly withdrawalMs?: number;
  readonly clock?: Clock;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly inFlight: InFlight;
  getState(): ServerState;
  /** Registers the instance and says SERVING. Until then calls are answered, but nobody is sent here. */
  announce(): Promise<void>;
  /** Withdraws the instance, says NOT_SERVING, lets running calls end, for at most `graceMs`, and closes. */
  close(graceMs?: number): Promise<void>;
}

/** Opens the port with the whole server stack on it. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { services, logger, clock = systemClock } = options;
  const methods = policyIndex(services);
  requireCommands(options, methods.values());
  const bulkheads = createBulkheads(methods.values());
  const { layer, inFlight } = inFlightLayer();
  const draining = new AbortController();
  const health = createHealth(services.map(({ service }) => service.typeName));
  const listener = await listen({
    host: options.host,
    port: options.port,
    limits: options.clients === "edge" ? edgeLimits : meshLimits,
    interceptors: serverStack({
      methods,
      bulkheads,
      inFlight: layer,
      draining: draining.signal,
      logger,
      clock,
      ...(options.mapError && { mapError: options.mapError }),
    }),
    routes: (router) => register(router, options, health.register),
  });
  return running(options, listener, bulkheads, inFlight, health, () => draining.abort(serverGoesAway()));
}

function running(
  options: ServerOptions,
  listener: Listener,
  bulkheads: ReadonlyMap<string, Bulkhead>,
  inFlight: InFlight,
  health: HealthService,
  endStreams: () => void,
): Server {
  const { logger, registration } = options;
  let leases: Lease[] = [];
  const getState = (): ServerState => ({
    inFlight: inFlight.count,
    bulkheads: [...bulkheads.values()].map((bulkhead) => bulkhead.getState()),
  });
  const stopObserving = observeServer(getState);
  return {
    host: listener.host,
    port: listener.port,
    inFlight,
    getState,
    async announce() {
      if (registration) {
        const { registry, instance, host = listener.host, metadata = {} } = registration;
        const register = (service: string): Promise<Lease> =>
          registry.register({ service, instance, host, port: listener.port, metadata });
        leases = await Promise.all(options.services.map(({ service }) => register(service.typeName)));
      }
      health.set("SERVING");
    },
    async close(graceMs = 10_000) {
      health.set("NOT_SERVING");
      const withdrawn = await Promise.allSettled(leases.map((lease) => lease.release()));
      for (const each of withdrawn) {
        if (each.status === "rejected")
          logger.warn({ error: each.reason }, "the registry could not be told; the lease will expire");
      }
      if (leases.length > 0) await new Promise((resolve) => setTimeout(resolve, options.withdrawalMs ?? 300));
      endStreams();
      const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([listener.drain(), grace]);
      await listener.close();
      stopObserving();
    },
  };
}

function register(router: ConnectRouter, options: ServerOptions, health: (router: ConnectRouter) => void): void {
  const { services, commands, reflection = true } = options;
  for (const served of services) {
    router.service(served.service, commands ? onceAKey(served, commands) : served.implementation);
  }
  health(router);
  if (reflection)
    registerReflection(
      router,
      services.map(({ service }) => service),
    );
}

function requireCommands(
  options: ServerOptions,
  methods: Iterable<{ scope: string; policy: { idempotencyKey: boolean } }>,
): void {
  if (options.commands) return;
  for (const { scope, policy } of methods) {
    if (policy.idempotencyKey) {
      throw new Error(
        `${scope} is keyed (idempotency_key): startServer needs \`commands\`, a place to keep its responses.`,
      );
    }
  }
}
