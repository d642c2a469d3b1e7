import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { createServiceDatabases, type Stack, startStack } from "@weft/devstack";
import { concurrency } from "./events/mesh.ts";
import { begin, perform } from "./events/perform.ts";
import type { Answer } from "./events/task.ts";
import { fillOutbox, openWorld, type Servers } from "./events/world.ts";
import { type createReport, median, quantile, type Row } from "./report.ts";
import type { Size } from "./size.ts";

const root = resolve(import.meta.dirname, "..");
const window = 256;
const batch = 100;

type Report = ReturnType<typeof createReport>;

/**
 * Events through the outbox and the inbox, beside JetStream's own client without either, in the same rounds: PostgreSQL and NATS are durable,
 * and every worker is a process of its own. Bars: relay 0.6 of raw, 3,000 effects a second, 10,000 in batches; from commit to handler
 * p50 10 ms and p99 50 ms at 500 a second; an outbox that stays as large as it is over 1,000,000 events.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const dataDir = mkdtempSync(join(root, ".weft-bench-"));
  let stack: Stack | undefined;
  try {
    const env = { ...process.env, NATS_URL: "", REDIS_URL: "", DATABASE_URL: "" };
    stack = await startStack({
      ...{ root, dataDir, ports: "free", services: [], ephemeral: false, env },
      // As a server has that events are written for: a development server's 48 MB are full after 30,000 of them, and what a sweep
      // frees within the minute that is the default until the next vacuum is four times what the table-size variant retains.
      postgresSettings: ["shared_buffers=512MB", "autovacuum_naptime=10s"],
    });
    const started = stack;
    const world = (name: string): Promise<Servers> => newWorld(started, dataDir, name);
    await throughput(report, size, world);
    await latency(report, size, await world("latency"));
    await tableSize(report, size, await world("size"));
  } finally {
    await stack?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function throughput(report: Report, size: Size, world: (name: string) => Promise<Servers>): Promise<void> {
  const [rounds, count, warmUp] = [size(3, 1), size(50_000, 400), size(10_000, 100)];
  const rates = new Map<string, number[]>();
  const errors = new Map<string, number>();
  const note = async (variant: string, working: Promise<Answer>): Promise<void> => {
    const answer = await working;
    rates.set(variant, [...(rates.get(variant) ?? []), answer.rate]);
    errors.set(variant, (errors.get(variant) ?? 0) + answer.errors);
  };
  for (let round = 0; round < rounds; round++) {
    const servers = await world(`round${round}`);
    await note("jetstream-raw", perform({ ...servers, role: "raw-publish", count, warmUp, window }));
    const store = await openWorld(servers);
    await fillOutbox(store, 0, count);
    await store.close();
    await note("outbox", perform({ ...servers, role: "relay", count, warmUp }));
    await note("jetstream-raw-consume", perform({ ...servers, role: "raw-consume", count, warmUp }));
    await note("subscriber", perform({ ...servers, role: "subscribe", count, warmUp, batch: 1 }));
    await note("subscriber-batch", perform({ ...servers, role: "subscribe", count, warmUp, batch }));
  }
  const rate = (variant: string): number => Math.round(median(rates.get(variant) ?? []));
  const row = (variant: string, concurrency: number, bars: Partial<Row> = {}): void =>
    report.row({ variant, concurrency, rps: rate(variant), errors: errors.get(variant) ?? 0, ...bars });
  const of = (ratio: number): number => Math.round(ratio * 100) / 100;
  const share = of(rate("outbox") / rate("jetstream-raw"));
  row("jetstream-raw", window);
  row("outbox", window, { of_raw: share, bar_of_raw: 0.6, held: held(share >= 0.6) });
  row("jetstream-raw-consume", 1_000);
  row("subscriber", concurrency, { bar_rps: 3_000, held: held(rate("subscriber") >= 3_000) });
  row("subscriber-batch", concurrency, { batch, bar_rps: 10_000, held: held(rate("subscriber-batch") >= 10_000) });
}

async function latency(report: Report, size: Size, servers: Servers): Promise<void> {
  const [count, perSecond] = [size(5_000, 600), 500];
  const handling = begin({ ...servers, role: "note-starts", count });
  await handling.ready;
  const published = await perform({ ...servers, role: "publish-steadily", count, perSecond });
  const handled = await handling.answer;
  const began = new Map(handled.at);
  // The first second is for warming up.
  const delays = (published.at ?? [])
    .slice(perSecond)
    .map(([id, committed]) => Math.max(0, (began.get(id) ?? Number.NaN) - committed));
  const [p50_ms, p99_ms] = [quantile(delays, 0.5), quantile(delays, 0.99)];
  const errors = published.errors + handled.errors;
  report.row({
    ...{ variant: "latency", rps: perSecond, p50_ms, p99_ms, errors, bar_p50_ms: 10, bar_p99_ms: 50 },
    held: held(p50_ms <= 10 && p99_ms <= 50),
  });
}

async function tableSize(report: Report, size: Size, servers: Servers): Promise<void> {
  const events = size(1_000_000, 1_000);
  const retentionMs = size(20_000, 1_000);
  const perSecond = 4_000;
  const {
    rate,
    errors,
    sizes = [],
  } = await perform({ ...servers, role: "publish-for-long", count: events, perSecond, retentionMs });
  const [half = 0, end = 0] = [sizes[4], sizes[9]];
  report.row({
    ...{ variant: "table-size", events, retention_ms: retentionMs, rps: Math.round(rate), errors },
    ...{ mib_half: half, mib_end: end, mib_each_tenth: sizes.join(" "), bar: "end at most 1.2 of half" },
    held: held(end <= 1.2 * half),
  });
}

function held(met: boolean): "met" | "missed" {
  return met ? "met" : "missed";
}

/** A database of its own, and streams that nobody has used. */
async function newWorld(stack: Stack, dataDir: string, name: string): Promise<Servers> {
  const natsUrl = stack.env.NATS_URL ?? "";
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection, { checkAPI: false });
  for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
  await connection.close();
  const passwords = join(dataDir, "bench-passwords.json");
  const urls = await createServiceDatabases(stack.env.DATABASE_URL ?? "", [name], passwords);
  return { databaseUrl: urls[name] ?? "", natsUrl };
}
