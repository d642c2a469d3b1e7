import { eventMigrations, type Subscription } from "@weft/events";
import { startSubscriber } from "@weft/events/inbox";
import { createJetStreamBroker } from "@weft/events/jetstream";
import { startRelay } from "@weft/events/outbox";
import { type ServedService, startServer } from "@weft/server";
import {
  commandMigrations,
  createCommandStore,
  type Migration,
  migrate,
  openStore,
  requireMigrated,
  type Store,
  type StoreOptions,
  type Worker,
} from "@weft/store";
import type { z } from "zod";
import { crashPoints } from "./crash-points.ts";
import { type DurableWork, startDurableWork } from "./durable-work.ts";
import { infrastructureError } from "./infrastructure-error.ts";
import { migrateCommand } from "./migrate-command.ts";
import { type Platform, runProcess } from "./process.ts";
import type { Environment, ServiceSettings } from "./settings.ts";

/** What a service's parts are made of. */
export interface ServiceContext<DB, S extends ServiceSettings> extends Omit<Platform<S>, "serves" | "serverState"> {
  readonly store: Store<DB>;
  /**
   * Looks for durable work, from now until the process ends. What makes work owed wakes it after its commit:
   * `onCommit(() => worker.wake())`.
   */
  startWorker(work: DurableWork): Pick<Worker, "wake">;
}

/** What a service does. */
export interface ServiceParts {
  readonly services: readonly ServedService[];
  /** The events that it consumes. */
  readonly subscriptions?: readonly Subscription[];
}

export interface ServiceOptions<DB, Schema extends z.ZodType<ServiceSettings>> {
  /** Also the name of its consumers and the caller that its callees see. */
  readonly name: string;
  readonly settings: Schema;
  readonly migrations: readonly Migration[];
  readonly setup: (context: ServiceContext<DB, z.infer<Schema>>) => ServiceParts | Promise<ServiceParts>;
  readonly env?: Environment;
  /** The program's own arguments; default: this process's. */
  readonly args?: readonly string[];
}

/** How long a repeat of a keyed command gets the stored answer. */
const commandRetentionMs = 7 * 24 * 60 * 60 * 1_000;

/**
 * A whole service: its database is migrated, its outbox relayed, its events consumed and its calls answered, until
 * SIGTERM. It registers last and withdraws first, so that nobody is sent to a service that isn't there yet or any more.
 * With the arguments `migrate status` or `migrate up` it does that alone, for which it needs no more than DATABASE_URL.
 */
export async function runService<DB, Schema extends z.ZodType<ServiceSettings>>(
  options: ServiceOptions<DB, Schema>,
): Promise<void> {
  const { name, env = process.env, args = process.argv.slice(2) } = options;
  const migrations = [...commandMigrations, ...eventMigrations, ...options.migrations];
  if (args.length > 0) {
    process.exitCode = await migrateCommand({ name, migrations, args, env });
    return;
  }
  return runProcess({
    name,
    settings: options.settings,
    env,
    async start(platform) {
      const { settings, logger, onClose } = platform;
      const drill = settings.WEFT_CRASH ? { faults: crashPoints(settings.WEFT_CRASH) } : {};
      const store = openStore<DB>({ ...databaseOf(settings), application: name, logger, ...drill });
      onClose("store", () => store.close());
      if (settings.WEFT_MIGRATE === "check") await requireMigrated(store, migrations);
      else await migrate(store, migrations, { logger, onApplied: (id) => logger.info({ migration: id }, "migrated") });

      const { NATS_URL: url, NATS_REPLICAS: replicas } = settings;
      const broker = createJetStreamBroker({ url, replicas, name: platform.instance, logger });
      onClose("broker", () => broker.close());
      // Before whatever publishes, so that it closes after it.
      const relay = startRelay({ store, broker, service: name, logger, ...drill });
      onClose("relay", () => relay.close());
      const startWorker = (work: DurableWork) => startDurableWork(platform, work);
      const parts = await options.setup({ ...platform, store, startWorker });
      if (parts.subscriptions && parts.subscriptions.length > 0) {
        const subscriber = startSubscriber({
          service: name,
          store,
          broker,
          subscriptions: parts.subscriptions,
          logger,
          ...drill,
        });
        onClose("subscriber", () => subscriber.close());
      }

      const commands = createCommandStore(store);
      startWorker({
        name: "command retention",
        intervalMs: 60_000,
        poll: () => commands.sweep({ retentionMs: commandRetentionMs }),
      });

      const server = await startServer({
        services: parts.services,
        host: settings.HOST,
        port: settings.PORT,
        logger,
        commands,
        mapError: infrastructureError,
        registration: {
          registry: platform.registry,
          instance: platform.instance,
          host: settings.ADVERTISE_HOST ?? settings.HOST,
          metadata: {
            weight: settings.WEFT_WEIGHT,
            ...(settings.WEFT_ZONE !== undefined && { zone: settings.WEFT_ZONE }),
          },
        },
        ...(settings.WEFT_SHEDDING === "on" && { shedding: {} }),
      });
      onClose("server", () => server.close(settings.WEFT_DRAIN_MS));
      platform.serves(server);
      await server.announce();
      return { address: `${settings.ADVERTISE_HOST ?? server.host}:${server.port}` };
    },
  });
}

function databaseOf(settings: ServiceSettings): Omit<StoreOptions, "application"> {
  return {
    url: settings.DATABASE_URL,
    maxConnections: settings.DATABASE_POOL,
    connectTimeoutMs: settings.DATABASE_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: settings.DATABASE_STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: settings.DATABASE_LOCK_TIMEOUT_MS,
    slowQueryMs: settings.DATABASE_SLOW_QUERY_MS,
    maxAttempts: settings.DATABASE_ATTEMPTS,
  };
}
