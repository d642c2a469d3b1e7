import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { shopOf } from "@shop/acceptance";
import { onInterrupt, type Stack, startStack } from "@weft/devstack";
import { type Collector, startCollector } from "@weft/testkit";
import { costOf, cpuOf } from "./checkout/cpu.ts";
import { type Assignment, type Customers, type Ordering, startCustomers } from "./checkout/load.ts";
import { settled } from "./checkout/settled.ts";
import { areWhole, stepsOf } from "./checkout/steps.ts";
import { type createReport, quantile } from "./report.ts";
import type { Size } from "./size.ts";

type Report = ReturnType<typeof createReport>;

const root = resolve(import.meta.dirname, "..");
const mostSteps = 40;

/**
 * What the whole shop does on one machine: orders a second and the time from POST to CONFIRMED, for customers who place one
 * order after the other and watch each; what an order costs each process in CPU time, effects after CONFIRMED included;
 * and, from the traces of a share of the orders, where the time of an order goes.
 */
export async function run(report: Report, size: Size): Promise<void> {
  const [one, some, many] = [1, size(16, 2), size(64, 4)];
  const dataDir = mkdtempSync(join(root, ".weft-bench-"));
  const interrupt = onInterrupt(() => process.exit(interrupt.exitCode()));
  let stack: Stack | undefined;
  let customers: Customers | undefined;
  const collector = await startCollector();
  try {
    stack = await startStack({
      root,
      dataDir,
      ports: "free",
      ephemeral: false,
      restart: false,
      env: environment(collector),
    });
    customers = await open(stack, many, interrupt.signal);
    const ground = { report, size, stack, customers };
    await settledAfter(ground, { crowd: some, warmUpMs: size(10_000, 1_000), measuredMs: 0, traced: 0 });
    await measure(ground, [one, some, many]);
    for (const crowd of [one, some]) await breakDown(ground, collector, crowd);
  } finally {
    customers?.close();
    await stack?.close();
    await collector.close();
    rmSync(dataDir, { recursive: true, force: true });
    interrupt.dispose();
  }
}

/** What the parts of the benchmark stand on. */
interface Ground {
  readonly report: Report;
  readonly size: Size;
  readonly stack: Stack;
  readonly customers: Customers;
}

/** Nothing is traced but what the customer asks it for. */
function environment(collector: Collector): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_OPTIONS } = process.env;
  return {
    ...{ PATH, HOME, NODE_OPTIONS },
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "500",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_TRACES_SAMPLER: "parentbased_always_off",
  };
}

async function open(stack: Stack, most: number, signal: AbortSignal): Promise<Customers> {
  const services = Object.fromEntries(stack.services.map((service) => [service.name, service]));
  const shop = shopOf({ env: stack.env, services });
  const gateway = services.gateway?.addresses.grpc ?? "";
  const userIds: string[] = [];
  for (let i = 1; i <= most; i++) userIds.push((await shop.createUser(`Bench Customer ${i}`)).id);
  const plenty = (await shop.products()).filter(({ stock = 0 }) => stock >= 10_000);
  return startCustomers({ gateway, userIds, productIds: plenty.map(({ id }) => id) }, signal);
}

interface Round {
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  readonly behindMs: number;
  readonly cpu: ReadonlyMap<string, number>;
}

/** Median of the rounds, figure by figure; crowds take turns within a round. */
async function measure(ground: Ground, crowds: readonly number[]): Promise<void> {
  const { report, size, stack, customers } = ground;
  const [rounds, warmUpMs, measuredMs] = [size(3, 1), size(1_000, 0), size(4_000, 1_000)];
  const seen = new Map<number, Round[]>(crowds.map((crowd) => [crowd, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [crowd, each] of seen) {
      const before = cpuOf(stack, customers.pid);
      const { orders, placed, ...rest } = await settledAfter(ground, {
        ...{ crowd, warmUpMs, measuredMs },
        traced: 0,
      });
      each.push({
        ...rest,
        rps: orders.length / (measuredMs / 1_000),
        p50: quantile(orders, 0.5),
        p99: quantile(orders, 0.99),
        cpu: costOf(before, cpuOf(stack, customers.pid), placed),
      });
    }
  }
  for (const [concurrency, each] of seen) {
    const median = (figure: (round: Round) => number) => quantile(each.map(figure), 0.5);
    report.row({
      variant: "orders",
      concurrency,
      rps: median(({ rps }) => rps),
      p50_ms: median(({ p50 }) => p50),
      p99_ms: median(({ p99 }) => p99),
      errors: each.reduce((sum, { errors }) => sum + errors, 0),
      cpu_ms: median(({ cpu }) => [...cpu.values()].reduce((sum, ms) => sum + ms, 0)),
      behind_ms: median(({ behindMs }) => behindMs),
    });
    if (concurrency < Math.max(...crowds)) continue;
    for (const name of each[0]?.cpu.keys() ?? []) {
      report.row({ variant: `cpu ${name}`, concurrency, cpu_ms: median(({ cpu }) => cpu.get(name) ?? 0) });
    }
  }
}

/** Orders, and then what they still cause: mails, stock, the ends of their processes. */
async function settledAfter(
  { stack, customers }: Ground,
  assignment: Assignment,
): Promise<Ordering & { readonly behindMs: number }> {
  const ordering = await customers.order(assignment);
  const endedAt = performance.now();
  await settled(stack.env.NATS_URL ?? "");
  return { ...ordering, behindMs: Math.round(performance.now() - endedAt) };
}

/**
 * One row a step, the most expensive first; the many that cost next to nothing are left out. A step named `wait for …` is
 * the time between a cause and its later effect.
 */
async function breakDown(ground: Ground, collector: Collector, crowd: number): Promise<void> {
  const { report, size } = ground;
  collector.clear();
  const { traceIds, errors } = await settledAfter(ground, {
    crowd,
    warmUpMs: 0,
    measuredMs: size(3_000, 500),
    traced: Math.max(0.25, 1 / crowd),
  });
  await collector.until((spans) => areWhole(spans, traceIds), { timeoutMs: 30_000 });
  const spans = collector.spans().filter(({ traceId }) => traceIds.includes(traceId));
  report.row({ variant: "traced", concurrency: crowd, orders: traceIds.length, errors });
  for (const { service, step, ...figures } of stepsOf(spans).slice(0, mostSteps)) {
    report.row({ variant: `${service}: ${step}`, concurrency: crowd, ...figures });
  }
}
