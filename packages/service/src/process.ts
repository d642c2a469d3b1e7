import { randomUUID } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createMesh, type Mesh } from "@weft/client";
import { isRegistrationDenied, type Registry } from "@weft/registry";
import { createRedisRegistry } from "@weft/registry/redis";
import type { Server, ServerState } from "@weft/server";
import { MigrationError } from "@weft/store";
import { createLogger, type Logger, startTelemetry } from "@weft/telemetry";
import type { z } from "zod";
import { openAdmin } from "./admin.ts";
import { closeInReverse, type Resources } from "./resources.ts";
import { type Environment, type PlatformSettings, readSettings, SettingsError } from "./settings.ts";

/** What a process of the mesh has before it does anything of its own. */
export interface Platform<S extends PlatformSettings = PlatformSettings> {
  readonly name: string;
  /** Unique to this process. */
  readonly instance: string;
  readonly settings: S;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly mesh: Mesh;
  /** Who serves calls says how to see it: its load goes to the registry. */
  serves(server: Pick<Server, "getState">): void;
  readonly serverState: () => ServerState | undefined;
  /** Closes it at the end, before what was added earlier. */
  onClose(what: string, close: () => Promise<void> | void): void;
}

export interface ProcessOptions<Schema extends z.ZodType<PlatformSettings>> {
  readonly name: string;
  readonly settings: Schema;
  /** Opens what this process serves; resolves with what the "ready" line says besides the name. */
  readonly start: (platform: Platform<z.infer<Schema>>) => Promise<Readonly<Record<string, unknown>>>;
  readonly env?: Environment;
}

/**
 * Runs a process of the mesh until SIGTERM or SIGINT: settings, telemetry, logs, registry and clients, then what `start`
 * opens; at the end all of it is closed in reverse. A second signal ends it at once. A start that fails exits with 1 and
 * a line that says what to do.
 */
export async function runProcess<Schema extends z.ZodType<PlatformSettings>>(
  options: ProcessOptions<Schema>,
): Promise<void> {
  const { name, env = process.env } = options;
  const instance = `${name}-${randomUUID().slice(0, 8)}`;
  const resources: Resources = [];
  let logger = createLogger({ service: name });
  // Supervisors wait for these lines, whatever LOG_LEVEL says.
  const lifecycle = logger;
  let drainMs = 10_000;
  let ending: Promise<void> | undefined;

  const end = (reason: string, code: number): Promise<void> => {
    ending ??= (async () => {
      lifecycle.info({ reason }, "stopping");
      await closeInReverse(resources, logger, drainMs + 5_000);
      lifecycle.info({}, "stopped");
      process.exit(code);
    })();
    return ending;
  };
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) process.exit(1);
    void end(signal, 0);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  // Started by a supervisor over IPC: when that is gone, nobody wants this process.
  process.on("disconnect", () => void end("the supervisor went away", 0));
  process.channel?.unref();
  process.on("uncaughtException", (error) => {
    logger.error({ error }, "an error that nothing caught");
    void end("uncaught error", 1);
  });

  try {
    const settings = readSettings(options.settings, env);
    drainMs = settings.WEFT_DRAIN_MS;
    logger = createLogger({ service: name, level: settings.LOG_LEVEL });
    const prometheus = settings.WEFT_ADMIN_PORT !== undefined;
    const telemetry = await startTelemetry({ service: name, instance, env, prometheus });
    resources.push({ what: "telemetry", close: () => telemetry.shutdown() });
    const platform = openPlatform(name, instance, settings, logger, resources);
    const { scrape } = telemetry;
    const { WEFT_ADMIN_HOST: host, WEFT_ADMIN_PORT: port } = settings;
    if (port !== undefined) {
      const { mesh, serverState } = platform;
      const admin = await openAdmin(host, port, { mesh, serverState, metrics: scrape });
      resources.push({ what: "admin port", close: () => admin.close() });
      logger.info({ address: `${host}:${admin.port}` }, "metrics, states and explanations can be read");
    }
    const ready = await options.start(platform);
    if (!ending) lifecycle.info({ ...ready, instance, pid: process.pid }, "ready");
  } catch (error) {
    if (ending) return;
    // Their messages say what to do.
    if (error instanceof SettingsError || error instanceof MigrationError || isRegistrationDenied(error))
      logger.error({}, error.message);
    else logger.error({ error }, "could not start");
    await end("the start failed", 1);
  }
}

/** How often the event loop's delay is taken, in milliseconds. */
const lookMs = 20;

function openPlatform<S extends PlatformSettings>(
  name: string,
  instance: string,
  settings: S,
  logger: Logger,
  resources: Resources,
): Platform<S> {
  let served: Pick<Server, "getState"> | undefined;
  const delay = monitorEventLoopDelay({ resolution: lookMs });
  delay.enable();
  resources.push({ what: "event-loop monitor", close: () => void delay.disable() });
  const registry = createRedisRegistry({
    url: settings.REDIS_URL,
    heartbeatMs: settings.WEFT_HEARTBEAT_MS,
    blockedMs: settings.WEFT_BLOCKED_MS,
    ...(settings.WEFT_REGISTRY_SNAPSHOT !== undefined && { snapshot: settings.WEFT_REGISTRY_SNAPSHOT }),
    logger,
    load() {
      // What is measured is the time between two looks, which are so far apart in any case.
      const eventLoopDelayMs = delay.count === 0 ? 0 : Math.max(0, delay.mean / 1e6 - lookMs);
      delay.reset();
      return { eventLoopDelayMs, inFlight: served?.getState().inFlight ?? 0 };
    },
  });
  resources.push({ what: "registry", close: () => registry.close() });
  const mesh = createMesh({
    service: name,
    registry,
    transport: settings.WEFT_TRANSPORT,
    ...(settings.WEFT_ZONE !== undefined && { zone: settings.WEFT_ZONE }),
    ...(settings.WEFT_SUBSET_SIZE !== undefined && { subsetSize: settings.WEFT_SUBSET_SIZE }),
    ...(settings.WEFT_EXPLAIN > 0 && { explain: { ratio: settings.WEFT_EXPLAIN } }),
  });
  resources.push({ what: "mesh", close: () => mesh.close() });
  mesh.onEvent((event) => {
    if (event.kind === "circuit") logger.warn({ event }, "a circuit changed");
    else if (event.kind === "connection") logger.warn({ event }, "an instance can be reached again, or not any more");
    else if (event.kind === "outlier") logger.warn({ event }, "an instance fares worse than the others, or well again");
    else logger.debug({ event }, "a policy acted");
  });
  return {
    name,
    instance,
    settings,
    logger,
    registry,
    mesh,
    serves(server) {
      served = server;
    },
    serverState: () => served?.getState(),
    onClose: (what, close) => void resources.push({ what, close }),
  };
}
