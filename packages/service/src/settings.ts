import { z } from "zod";
import { natsUrl, redisUrl } from "./addresses.ts";

/** What every process of the mesh reads from its environment. */
export const platformSettings = z.object({
  /** The address to listen on. */
  HOST: z.string().min(1).default("127.0.0.1"),
  /** 0 takes a free port. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** The address that others reach this instance at; HOST unless given. */
  ADVERTISE_HOST: z.string().min(1).optional(),
  REDIS_URL: redisUrl,
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Milliseconds between two heartbeats. */
  WEFT_HEARTBEAT_MS: z.coerce.number().int().min(50).max(600_000).default(2_000),
  /** A main thread that stands still for longer loses its place in the registry until it moves again, in milliseconds. */
  WEFT_BLOCKED_MS: z.coerce.number().int().min(1_000).max(3_600_000).default(60_000),
  /** A file of this process's own, in which it keeps whom it knows, for a start while the registry is away. */
  WEFT_REGISTRY_SNAPSHOT: z.string().min(1).optional(),
  /** What carries the calls of this process: Weft's own HTTP/2, or one of the two that it can be compared with. */
  WEFT_TRANSPORT: z.enum(["wire", "connect-node", "grpc-js"]).default("wire"),
  /** The zone that this process runs in: its calls stay there while they can, and so do those of others in it. */
  WEFT_ZONE: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, "1 to 64 letters, digits or any of _ . : -")
    .optional(),
  /** How much this instance takes beside the others of its service. */
  WEFT_WEIGHT: z.coerce.number().positive().max(1_000).default(1),
  /** Of a fleet that is larger, so many instances are called by this process. */
  WEFT_SUBSET_SIZE: z.coerce.number().int().min(1).optional(),
  /** The share of traces whose calls can be explained afterwards. */
  WEFT_EXPLAIN: z.coerce.number().min(0).max(1).default(0),
  /** Where metrics, states and explanations are read; 0 takes a free port, none is opened unless given. */
  WEFT_ADMIN_PORT: z.preprocess(
    (value) => (value === "" ? undefined : value),
    z.coerce.number().int().min(0).max(65_535).optional(),
  ),
  /** The address of that port. It asks nobody who he is: only who runs the process should reach it. */
  WEFT_ADMIN_HOST: z.string().min(1).default("127.0.0.1"),
  /** Whether a server sheds what it finds out that it can't do. */
  WEFT_SHEDDING: z.enum(["on", "off"]).default("off"),
  /** Longest time that running calls get to end after SIGTERM, in milliseconds. */
  WEFT_DRAIN_MS: z.coerce.number().int().min(0).default(10_000),
});

/** What a service with a database and events reads besides. */
export const serviceSettings = platformSettings.extend({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  NATS_URL: natsUrl,
  /** Copies of each stream in a cluster of NATS. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** A crash drill: where this process is to kill itself. See `crashPoints`. */
  WEFT_CRASH: z.string().optional(),
  DATABASE_POOL: z.coerce.number().int().min(2).max(200).default(10),
  /** Longest wait for a connection, a free one or a new one, in milliseconds. */
  DATABASE_CONNECT_TIMEOUT_MS: z.coerce.number().int().min(1).max(600_000).default(5_000),
  /** Longest statement, in milliseconds. */
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce.number().int().min(1).max(600_000).default(10_000),
  /** Longest wait for a lock that another transaction holds, in milliseconds. */
  DATABASE_LOCK_TIMEOUT_MS: z.coerce.number().int().min(1).max(600_000).default(5_000),
  /** A statement that takes longer is logged, in milliseconds. */
  DATABASE_SLOW_QUERY_MS: z.coerce.number().int().min(0).max(600_000).default(500),
  /** Runs of a transaction that loses against others, the first included. */
  DATABASE_ATTEMPTS: z.coerce.number().int().min(1).max(100).default(5),
  /** Whether a start migrates the database, or refuses to start while migrations are pending. */
  WEFT_MIGRATE: z.enum(["start", "check"]).default("start"),
});

export type PlatformSettings = z.infer<typeof platformSettings>;
export type ServiceSettings = z.infer<typeof serviceSettings>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment as the schema wants it, or an error that names every variable that is wrong, and why. */
export function readSettings<S extends z.ZodType>(schema: S, env: Environment): z.infer<S> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new SettingsError(`The environment is not what this service needs:\n${problems.join("\n")}`);
}

export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
