import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Shop, shopOf, until } from "@shop/acceptance";
import { OrderService, OrderStatus } from "@shop/contracts/order";
import type { StackRecord } from "@weft/devstack";
import { type createReport, quantile } from "./report.ts";
import type { Size } from "./size.ts";

const root = resolve(import.meta.dirname, "..");

/**
 * What a developer feels: `npm run dev` on an installed clone until all services are ready (bar: 20 s), the memory of all
 * its processes together (bar: 1.5 GB PSS), and the time from POST /v1/orders to CONFIRMED (bar: p50 300 ms).
 */
export async function run(report: ReturnType<typeof createReport>, size: Size): Promise<void> {
  const startedAt = performance.now();
  const dev = spawn("npm", ["run", "dev"], { cwd: root, detached: true, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  dev.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  try {
    await until(
      "npm run dev",
      () => {
        if (dev.exitCode !== null) throw new Error(`npm run dev ended:\n${output.slice(-2_000)}`);
        return /\| .*ready in /.test(output) ? true : undefined;
      },
      120_000,
    );
    const readyMs = performance.now() - startedAt;
    report.row({
      variant: "ready",
      ready_ms: Math.round(readyMs),
      bar_ms: 20_000,
      held: readyMs <= 20_000 ? "met" : "missed",
    });
    const record = JSON.parse(readFileSync(join(root, ".weft", "dev.json"), "utf8")) as StackRecord;
    await orders(record, report, size);
    memory(dev, report);
  } finally {
    // As Ctrl-C does it: to the whole group.
    if (dev.pid !== undefined) process.kill(-dev.pid, "SIGINT");
    await until(
      "the end of npm run dev",
      () => (dev.exitCode !== null || dev.signalCode !== null ? true : undefined),
      60_000,
    );
  }
}

async function orders(record: StackRecord, report: ReturnType<typeof createReport>, size: Size): Promise<void> {
  const [warmUp, measured] = [size(20, 2), size(200, 10)];
  const shop = shopOf(record);
  const baseUrl = `http://${record.services.gateway?.addresses.grpc}`;
  const client = createClient(OrderService, createGrpcTransport({ baseUrl }));
  const user = await shop.createUser("Bench Customer");
  const [item] = (await shop.products()).toSorted((a, b) => (b.stock ?? 0) - (a.stock ?? 0));
  if (!item) throw new Error("the catalogue is empty");
  const samples: number[] = [];
  const startedAt = performance.now();
  let errors = 0;
  for (let i = 0; i < warmUp + measured; i++) {
    const confirmed = await confirmedAfter(shop, client, user.id, item.id).catch(() => undefined);
    if (confirmed === undefined) errors += 1;
    else if (i >= warmUp) samples.push(confirmed);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const p50 = quantile(samples, 0.5);
  report.row({
    variant: "order-to-confirmed",
    concurrency: 1,
    rps: Math.round(((warmUp + measured) / seconds) * 10) / 10,
    p50_ms: p50,
    p99_ms: quantile(samples, 0.99),
    errors,
    bar_p50_ms: 300,
    held: p50 <= 300 ? "met" : "missed",
  });
}

async function confirmedAfter(
  shop: Shop,
  client: ReturnType<typeof createClient<typeof OrderService>>,
  userId: string,
  productId: string,
): Promise<number> {
  const startedAt = performance.now();
  const { status, body } = await shop.order(userId, [{ productId, quantity: 1 }]);
  if (status !== 200) throw new Error(`HTTP ${status}`);
  for await (const { order } of client.watchOrder({ orderId: body.order.id }, { timeoutMs: 10_000 })) {
    if (order?.status === OrderStatus.CONFIRMED) return performance.now() - startedAt;
  }
  throw new Error("the order was not confirmed");
}

/** Proportional set size of the whole process tree: shared pages count once (proc_pid_smaps_rollup(5)). */
function memory(dev: ChildProcess, report: ReturnType<typeof createReport>): void {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${entry}/status`))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const tree = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(tree)];
  const pids = tree(dev.pid ?? 0);
  const kilobytes = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  const megabytes = Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1024);
  report.row({
    variant: "memory",
    processes: pids.length,
    pss_mb: megabytes,
    bar_mb: 1_536,
    held: megabytes <= 1_536 ? "met" : "missed",
  });
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
