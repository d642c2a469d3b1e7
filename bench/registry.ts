import { setTimeout as sleep } from "node:timers/promises";
import { createRedisRegistry } from "@weft/registry/redis";
import { type Costs, costsOf } from "./registry/costs.ts";
import { type BenchRedis, startRedis } from "./registry/redis.ts";
import { type BenchWorker, nowMs, startWorker } from "./registry/workers.ts";
import { type createReport, quantile } from "./report.ts";
import type { Size } from "./size.ts";

type Report = ReturnType<typeof createReport>;

/** How large the mesh is. */
interface Mesh {
  readonly instances: number;
  readonly services: number;
  readonly watchers: number;
  readonly heartbeatMs: number;
}

/** What each watcher watches: the service that changes, and so many others. */
const others = 9;
const bars = { change_p99_ms: 150, full_list_ms: 50 };
const serviceName = (i: number): string => `weft.bench.v1.Service${i}`;

/**
 * A registry on one Redis as the mesh grows: what it costs, how long a change takes until every watcher of its service has seen it, and how
 * long it takes to list everything. 200 watchers, each with connections of its own, watch one service in common and 9 others. Instances
 * are real leases that a heart renews; four processes hold them, since 10,000 processes don't fit: connections are fewer
 * than they would be, commands are as many.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const [watchers, heartbeatMs] = [size(200, 10), size(2_000, 300)];
  const largest = size(10_000, 200);
  for (const instances of size(1, 0) ? [100, 1_000, largest] : [largest / 2, largest]) {
    await measure(report, { instances, services: size(100, 10), watchers, heartbeatMs }, size);
  }
}

async function measure(report: Report, mesh: Mesh, size: Size): Promise<void> {
  const redis = await startRedis();
  const workers: BenchWorker[] = [];
  try {
    const hosts = await startHosts(redis, mesh, workers);
    const watchers = await startWatchers(redis, mesh, workers);
    const listing = await listAll(redis, mesh, size(20, 3));
    const costs = await costsOf(redis, size(6_000, 600));
    const changes = await change(hosts[0] as BenchWorker, watchers, size(120, 5), mesh);
    note(report, mesh, { changes, listing, costs });
  } finally {
    for (const worker of workers) await worker.close();
    await redis.close();
  }
}

async function startHosts({ url }: BenchRedis, mesh: Mesh, workers: BenchWorker[]): Promise<BenchWorker[]> {
  const all = Array.from({ length: mesh.instances }, (_, i) => {
    return { service: serviceName(i % mesh.services), instance: `instance-${i}` };
  });
  const each = Math.ceil(all.length / 4);
  const hosts: BenchWorker[] = [];
  for (let from = 0; from < all.length; from += each) {
    const instances = all.slice(from, from + each);
    hosts.push(await startWorker("host.ts", { url, heartbeatMs: mesh.heartbeatMs, instances }));
    workers.push(hosts.at(-1) as BenchWorker);
  }
  return hosts;
}

async function startWatchers({ url }: BenchRedis, mesh: Mesh, workers: BenchWorker[]): Promise<BenchWorker[]> {
  const watched = Array.from({ length: mesh.watchers }, (_, i) => {
    const further = Array.from({ length: others }, (_, j) => serviceName(1 + ((i * others + j) % (mesh.services - 1))));
    return [serviceName(0), ...new Set(further)];
  });
  const started: BenchWorker[] = [];
  for (const half of [watched.slice(0, mesh.watchers / 2), watched.slice(mesh.watchers / 2)]) {
    const worker = await startWorker("watchers.ts", {
      ...{ url, heartbeatMs: mesh.heartbeatMs, watched: half, perService: mesh.instances / mesh.services },
      ...{ hot: serviceName(0), changing: "instance-0" },
    });
    started.push(worker);
    workers.push(worker);
  }
  return started;
}

interface Samples {
  readonly ms: readonly number[];
  readonly errors: number;
}

/** From the change's order to the moment at which the last watcher was told. */
async function change(
  host: BenchWorker,
  watchers: readonly BenchWorker[],
  count: number,
  mesh: Mesh,
): Promise<Samples> {
  const ms: number[] = [];
  let errors = 0;
  const warmUp = Math.ceil(count / 6);
  for (let i = 0; i < count + warmUp; i++) {
    const state = i % 2 === 0 ? "DRAINING" : "UP";
    const armed = watchers.map((worker) => worker.ask<object>({ state }));
    await Promise.all(armed);
    const seen = watchers.map((worker) => worker.next<{ readonly seenAt: number }>());
    const { startedAt, errors: failed } = await host.ask<{ readonly startedAt: number; readonly errors: number }>({
      state,
    });
    errors += failed;
    const last = Math.max(...(await Promise.all(seen)).map(({ seenAt }) => seenAt));
    if (i >= warmUp) ms.push(last - startedAt);
    // At no fixed place in the heartbeats' interval.
    await sleep((mesh.heartbeatMs / 13) * (0.5 + (i % 7) / 7));
  }
  return { ms, errors };
}

async function listAll({ url }: BenchRedis, mesh: Mesh, rounds: number): Promise<Samples> {
  const registry = createRedisRegistry({ url, heartbeatMs: mesh.heartbeatMs });
  const ms: number[] = [];
  let errors = 0;
  try {
    for (let round = -3; round < rounds; round++) {
      const startedAt = nowMs();
      const names = await registry.services();
      const lists = await Promise.all(names.map((name) => registry.list(name)));
      if (round >= 0) ms.push(nowMs() - startedAt);
      if (lists.reduce((sum, list) => sum + list.length, 0) !== mesh.instances) errors += 1;
    }
  } finally {
    await registry.close();
  }
  return { ms, errors };
}

function note(
  report: Report,
  mesh: Mesh,
  { changes, listing, costs }: { readonly changes: Samples; readonly listing: Samples; readonly costs: Costs },
): void {
  const variant = `${mesh.instances} instances`;
  const change_p99_ms = quantile(changes.ms, 0.99);
  const full_list_ms = quantile(listing.ms, 0.5);
  report.row({
    variant,
    services: mesh.services,
    watchers: mesh.watchers,
    change_p50_ms: quantile(changes.ms, 0.5),
    change_p99_ms,
    full_list_ms,
    full_list_p99_ms: quantile(listing.ms, 0.99),
    ...costs,
    bytes_per_instance: Math.round(costs.data_bytes / mesh.instances),
    errors: changes.errors + listing.errors,
  });
  for (const [figure, value] of Object.entries({ change_p99_ms, full_list_ms })) {
    const bar = bars[figure as keyof typeof bars];
    report.row({ variant: `${variant}: ${figure}`, [figure]: value, at_most: bar, held: value <= bar ? "yes" : "no" });
  }
}
