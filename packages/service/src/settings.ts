import { z } from "zod";

/** What every process of the mesh reads from its environment. */
export const platformSettings = z.object({
  /** The address to listen on. */
  HOST: z.string().min(1).default("127.0.0.1"),
  /** 0 takes a free port. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** The address that others reach this instance at; HOST unless given. */
  ADVERTISE_HOST: z.string().min(1).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Milliseconds between two heartbeats. */
  WEFT_HEARTBEAT_MS: z.coerce.number().int().min(50).max(600_000).default(2_000),
  /** Longest time that running calls get to end after SIGTERM, in milliseconds. */
  WEFT_DRAIN_MS: z.coerce.number().int().min(0).default(10_000),
});

/** What a service with a database and events reads besides. */
export const serviceSettings = platformSettings.extend({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  NATS_URL: z.url({ protocol: /^(nats|tls)$/ }),
  /** A crash drill: where this process is to kill itself. See `crashPoints`. */
  WEFT_CRASH: z.string().optional(),
  DATABASE_POOL: z.coerce.number().int().min(2).max(200).default(10),
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
