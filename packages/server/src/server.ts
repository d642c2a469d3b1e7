import type { DescService } from "@bufbuild/protobuf";
import { type Clock, systemClock } from "@weft/context";
import { type ConcurrencyLimitPolicy, type LivePolicies, livePolicies, type ServicePolicies } from "@weft/policy";
import type { Lease, Registration, Registry } from "@weft/registry";
import { edgeLimits, type Listener, listen, meshLimits } from "@weft/rpc";
import type { Logger } from "@weft/telemetry";
import { observeServer } from "./gauges.ts";
import { createHealth, type HealthService } from "./health.ts";
import type { CommandStore } from "./idempotency.ts";
import { layered } from "./layer.ts";
import { Bulkheads, sizeConflicts } from "./layers/bulkhead.ts";
import { createLoadGuard, type LoadGuard } from "./layers/concurrency.ts";
import { drainLayer, serverGoesAway } from "./layers/drain.ts";
import { type ErrorMapper, errorLayer } from "./layers/errors.ts";
import { type InFlight, inFlightLayer } from "./layers/in-flight.ts";
import { registerReflection } from "./reflection.ts";
import { type ServedService, servedMethod } from "./serve.ts";
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
  /**
   * The server finds out what it can do, and sheds the rest; `{}` for all that is usual. Default: it takes all that bulkheads let in, since
   * a machine that has no time for it looks like a server with too many calls.
   */
  readonly shedding?: Partial<ConcurrencyLimitPolicy>;
  readonly clock?: Clock;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly inFlight: InFlight;
  /** The policies that calls of a service follow here. Throws when it isn't served. */
  policies(service: DescService): LivePolicies;
  getState(): ServerState;
  /** Registers the instance and says SERVING. Until then calls are answered, but nobody is sent here. */
  announce(): Promise<void>;
  /** Withdraws the instance, says NOT_SERVING, lets running calls end, for at most `graceMs`, and closes. */
  close(graceMs?: number): Promise<void>;
}

/** Opens the port with the whole server stack on it. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { services, logger, clock = systemClock } = options;
  const policies = new Map<string, LivePolicies>();
  const currents = (): ServicePolicies[] => [...policies.values()].map(({ current }) => current);
  for (const served of services) {
    const others = (): ServicePolicies[] => currents().filter(({ service }) => service !== served.policies.service);
    policies.set(
      served.service.typeName,
      livePolicies(served.policies, (next) => sizeConflicts([...others(), next])),
    );
  }
  requireCommands(options);
  const bulkheads = new Bulkheads();
  const resize = (): void => bulkheads.follow(currents());
  resize();
  for (const each of policies.values()) each.onChange(resize);
  const { layer, inFlight } = inFlightLayer();
  const guard = options.shedding && createLoadGuard(options.shedding, clock);
  const draining = new AbortController();
  const stack = serverStack({
    bulkheads,
    inFlight: layer,
    ...(guard && { guard }),
    draining: draining.signal,
    logger,
    clock,
    ...(options.mapError && { mapError: options.mapError }),
    ...(options.commands && { commands: options.commands }),
  });
  const health = createHealth(services.map(({ service }) => service.typeName));
  const listener = await listen({
    host: options.host,
    port: options.port,
    limits: options.clients === "edge" ? edgeLimits : meshLimits,
    routes: (router) => {
      for (const served of services) {
        const live = policies.get(served.service.typeName) as LivePolicies;
        const { service, implementation } = served;
        router.service(
          service,
          layered(service, implementation, stack, (method) => servedMethod(method, live)),
        );
      }
      // Open to all: they have no policies, and streams that end like all others.
      const open = [errorLayer(logger, () => undefined), drainLayer(draining.signal)];
      health.register(router, open);
      if (options.reflection ?? true)
        registerReflection(
          router,
          services.map(({ service }) => service),
          open,
        );
    },
  });
  return running(options, { listener, policies, bulkheads, inFlight, guard, health, draining });
}

/** What a server is made of. */
interface Parts {
  readonly listener: Listener;
  readonly policies: ReadonlyMap<string, LivePolicies>;
  readonly bulkheads: Bulkheads;
  readonly inFlight: InFlight;
  readonly guard: LoadGuard | undefined;
  readonly health: HealthService;
  readonly draining: AbortController;
}

function running(options: ServerOptions, parts: Parts): Server {
  const { listener, policies, bulkheads, inFlight, guard, health, draining } = parts;
  const { logger, registration } = options;
  let leases: Lease[] = [];
  const getState = (): ServerState => ({
    inFlight: inFlight.count,
    bulkheads: bulkheads.all.map((bulkhead) => bulkhead.getState()),
    shedding: guard?.limit.getState(),
  });
  const stopObserving = observeServer(getState);
  return {
    host: listener.host,
    port: listener.port,
    inFlight,
    policies(service) {
      const live = policies.get(service.typeName);
      if (live === undefined) throw new Error(`${service.typeName} is not served here.`);
      return live;
    },
    getState,
    async announce() {
      if (registration) {
        const { registry, instance, host = listener.host, metadata = {} } = registration;
        const register = (service: string): Promise<Lease> =>
          registry.register({ service, instance, host, port: listener.port, metadata });
        const granted = await Promise.allSettled(options.services.map(({ service }) => register(service.typeName)));
        leases = granted.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
        const refused = granted.find((each) => each.status === "rejected");
        if (refused !== undefined) {
          await Promise.allSettled(leases.map((lease) => lease.release()));
          leases = [];
          throw refused.reason;
        }
      }
      health.set("SERVING");
    },
    async close(graceMs = 10_000) {
      const withdrawn = await Promise.allSettled(leases.map((lease) => lease.release()));
      health.set("NOT_SERVING");
      for (const each of withdrawn) {
        if (each.status === "rejected")
          logger.warn({ error: each.reason }, "the registry could not be told; the lease will expire");
      }
      if (leases.length > 0) await new Promise((resolve) => setTimeout(resolve, options.withdrawalMs ?? 300));
      draining.abort(serverGoesAway());
      const grace = new Promise((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([listener.drain(), grace]);
      await listener.close();
      guard?.close();
      stopObserving();
    },
  };
}

function requireCommands({ services, commands }: ServerOptions): void {
  if (commands) return;
  for (const { service, policies } of services) {
    for (const { localName, name } of service.methods) {
      if (policies.methods[localName]?.idempotencyKey) {
        throw new Error(
          `${service.typeName}/${name} is keyed (idempotency_key): startServer needs \`commands\`, a place to keep its responses.`,
        );
      }
    }
  }
}
