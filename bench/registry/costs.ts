import { setTimeout as sleep } from "node:timers/promises";
import type { BenchRedis } from "./redis.ts";

/** What the mesh costs its Redis while nothing changes. */
export interface Costs {
  /** Sent by clients: heartbeats, the index and polls. What scripts do inside is not counted. */
  readonly commands_per_s: number;
  /** Of one core. */
  readonly redis_cpu_percent: number;
  readonly data_bytes: number;
  readonly redis_mib: number;
}

export async function costsOf(redis: BenchRedis, windowMs: number): Promise<Costs> {
  const before = await usage(redis);
  await sleep(windowMs);
  const after = await usage(redis);
  const seconds = after.at - before.at;
  return {
    commands_per_s: Math.round((after.commands - before.commands) / seconds),
    redis_cpu_percent: Math.round(((after.cpu - before.cpu) / seconds) * 1_000) / 10,
    data_bytes: Number(await redis.ask(`EVAL ${quoted(dataBytes)} 0`)),
    redis_mib: Math.round(Number(/^used_memory:(\d+)/m.exec(await redis.ask("INFO memory"))?.[1]) / 2 ** 20),
  };
}

/** All keys of the registry, exactly. */
const dataBytes =
  "local sum = 0 for _, key in ipairs(redis.call('KEYS', 'weft:*')) do sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0) end return sum";

function quoted(text: string): string {
  return `"${text}"`;
}

async function usage(redis: BenchRedis): Promise<{ at: number; commands: number; cpu: number }> {
  const [stats, cpu] = [await redis.ask("INFO commandstats"), await redis.ask("INFO cpu")];
  let commands = 0;
  for (const name of ["evalsha", "evalsha_ro", "eval", "eval_ro", "subscribe", "zrem"]) {
    commands += Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
  }
  const seconds = ["user", "sys"].map((kind) => Number(new RegExp(`^used_cpu_${kind}:([\\d.]+)`, "m").exec(cpu)?.[1]));
  return { at: performance.now() / 1_000, commands, cpu: (seconds[0] ?? 0) + (seconds[1] ?? 0) };
}
