import { join } from "node:path";
import { createServiceDatabases, type Stack, startStack } from "@weft/devstack";
import { type Migration, migrate, openStore } from "@weft/store";
import pg from "pg";
import { until } from "../../until.ts";
import type { Ground } from "../runner/row.ts";
import { auditDrill, type GrantedWish } from "./audit.ts";
import type { ProgramOptions } from "./programs/program.ts";
import { type ProgramName, type Replica, startReplica } from "./replica.ts";
import { type DrillStream, openStream } from "./stream.ts";
import { sinkMigrations, sourceMigrations } from "./tables.ts";

export type CrashPlan = (program: ProgramName) => ProgramOptions["crash"];

export interface StartOptions {
  /** How many of each; default 1. */
  readonly count?: number;
  /** Asked at each start for where to crash. */
  readonly crashes?: CrashPlan;
  readonly rollBack?: number;
  readonly maxDeliver?: number;
}

/**
 * Events on their whole way and nothing else: publishers that grant wishes, relays, and subscribers that note each one,
 * processes all, over PostgreSQL and NATS of the row's own.
 */
export interface Drill {
  readonly stack: Stack;
  readonly dataDir: string;
  readonly source: pg.Pool;
  readonly sink: pg.Pool;
  readonly stream: DrillStream;
  /** Where its programs killed themselves, and how often. */
  readonly crashes: ReadonlyMap<string, number>;
  /** Adds wishes over so many keys, which fall due evenly over the time (default: now). Their names begin with `prefix`. */
  wish(events: number, keys: number, overMs?: number, prefix?: string): Promise<void>;
  start(programs: readonly ProgramName[], options?: StartOptions): readonly Replica[];
  /** How many wishes were granted. */
  granted(): Promise<number>;
  effects(): Promise<number>;
  /** Milliseconds from the grant of each wish to its effect, of keys that begin so, in ascending order. */
  latencies(keys?: string): Promise<readonly number[]>;
  /** Resolves when every wish is granted and has its effect, and nothing is under way any more. */
  settled(timeoutMs: number): Promise<void>;
  /** Writes to the findings what was lost, doubled, out of order or made up. */
  audit(): Promise<void>;
}

export const allPrograms: readonly ProgramName[] = ["publisher", "relay", "subscriber"];

export async function openDrill(ground: Ground, { cluster = false } = {}): Promise<Drill> {
  const { root, findings } = ground;
  const dataDir = ground.folder();
  const env = { ...process.env, NATS_URL: "", REDIS_URL: "", DATABASE_URL: "" };
  const stack = await startStack({ root, dataDir, ports: "free", services: [], cluster, env });
  ground.atEnd(() => stack.close());
  const urls = await createServiceDatabases(
    stack.env.DATABASE_URL as string,
    ["source", "sink"],
    join(dataDir, "drill.json"),
  );
  const [sourceUrl, sinkUrl] = [urls.source as string, urls.sink as string];
  await migrateOne(sourceUrl, sourceMigrations);
  await migrateOne(sinkUrl, sinkMigrations);
  const natsUrl = stack.env.NATS_URL as string;
  const replicas = Number(stack.env.NATS_REPLICAS ?? 1);
  const [source, sink] = [openPool(ground, sourceUrl), openPool(ground, sinkUrl)];
  const stream = await openStream(ground, natsUrl);
  const crashes = new Map<string, number>();
  const count = async (pool: pg.Pool, from: string): Promise<number> =>
    Number((await pool.query(`select count(*) as n from ${from}`)).rows[0].n);

  function startOne(program: ProgramName, { crashes: plan, rollBack = 0, maxDeliver = 20 }: StartOptions): Replica {
    const replica = startReplica({
      program,
      options() {
        const crash = plan?.(program);
        const databaseUrl = program === "subscriber" ? sinkUrl : sourceUrl;
        return { databaseUrl, natsUrl, replicas, rollBack, maxDeliver, ...(crash && { crash }) };
      },
      onCrash: ({ point }) => void crashes.set(point, (crashes.get(point) ?? 0) + 1),
      onEnd: ground.fail,
      onLine: (line) => ground.onLine(program, line),
    });
    ground.atEnd(() => replica.stop());
    return replica;
  }

  const drill: Drill = {
    ...{ stack, dataDir, source, sink, stream, crashes },
    async wish(events, keys, overMs = 0, prefix = "key-") {
      await source.query(
        `insert into wish (key, due)
        select $4 || (i % $2), clock_timestamp() + i * $3 / $1 * interval '1 millisecond'
        from generate_series(0, $1::int - 1) as i`,
        [events, keys, overMs, prefix],
      );
    },
    start: (programs, options = {}) =>
      programs.flatMap((program) => Array.from({ length: options.count ?? 1 }, () => startOne(program, options))),
    granted: () => count(source, "wish where attempt is not null"),
    effects: () => count(sink, "effect"),
    async latencies(keys = "") {
      const granted = await source.query<{ attempt: string; ms: number }>(
        `select attempt, extract(epoch from granted_at)::float8 * 1000 as ms from wish
        where attempt is not null and key like $1 || '%'`,
        [keys],
      );
      const done = await sink.query<{ attempt: string; ms: number }>(
        "select attempt, extract(epoch from done_at)::float8 * 1000 as ms from effect",
      );
      const doneAt = new Map(done.rows.map(({ attempt, ms }) => [attempt, ms]));
      return granted.rows
        .map(({ attempt, ms }) => (doneAt.get(attempt) ?? Number.POSITIVE_INFINITY) - ms)
        .toSorted((a, b) => a - b);
    },
    async settled(timeoutMs) {
      const rest = async (): Promise<true | undefined> => {
        const [open, granted] = [await count(source, "wish where attempt is null"), await drill.granted()];
        return open === 0 && (await drill.effects()) >= granted && (await stream.idle()) ? true : undefined;
      };
      await until("the effects of all events", rest, timeoutMs);
    },
    async audit() {
      const columns = "attempt, key, key_seq";
      const granted = await source.query<GrantedWish>(`select ${columns} from wish where attempt is not null`);
      const effects = await sink.query<GrantedWish>(`select ${columns} from effect order by n`);
      const { lost, doubled, disordered, unfounded } = auditDrill({ granted: granted.rows, effects: effects.rows });
      findings.figure("events", granted.rows.length);
      findings.count("events lost", lost, 0);
      findings.count("effects doubled", doubled, 0);
      findings.count("effects out of their key's order", disordered, 0);
      findings.count("effects of what was not committed", unfounded, 0);
    },
  };
  return drill;
}

async function migrateOne(url: string, migrations: readonly Migration[]): Promise<void> {
  const store = openStore({ url, application: "drill" });
  try {
    await migrate(store, migrations);
  } finally {
    await store.close();
  }
}

function openPool(ground: Ground, url: string): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on("error", () => {});
  ground.atEnd(() => pool.end());
  return pool;
}
