import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Stack, startStack } from "@weft/devstack";
import { killDuringOrders, type Victim } from "./faults/kill-during-orders.ts";

/**
 * The fault runs: a stack of its own with real processes, a kill -9 in the middle of the orders, and the books compared
 * to the unit afterwards. Counts fail the run; times are printed.
 */
const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "200" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});

const victims: readonly Victim[] = ["user", "inventory", "order", "payment", "notification", "gateway", "nats"];
const chosen =
  values.only === undefined ? victims : victims.filter((victim) => values.only?.split(",").includes(victim));
if (chosen.length === 0) throw new Error(`--only=${values.only} names none of ${victims.join(", ")}`);

const root = resolve(import.meta.dirname, "../..");
const dataDir = mkdtempSync(join(root, ".weft-faults-"));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort(new Error(signal)));

say(`faults: starting a stack of its own for ${chosen.length} kills during ${values.orders} orders`);
let stack: Stack | undefined;
let broken = 0;
try {
  stack = await startStack({
    root,
    dataDir,
    ports: "free",
    restart: false,
    env: {
      ...process.env,
      LOG_LEVEL: "warn",
      RESERVATION_TTL_MS: "30000",
      NATS_URL: "",
      REDIS_URL: "",
      DATABASE_URL: "",
    },
    ...(values.verbose ? { onLine: (service: string, line: string) => say(`${service} | ${line}`) } : {}),
  });
  const report = await killDuringOrders(stack, {
    orders: Number(values.orders),
    victims: chosen,
    say,
    signal: interrupted.signal,
    random: Math.random,
  });
  broken = report.violations.length;
  for (const violation of report.violations) say(`✗ ${violation}`);
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else
    for (const [fact, figure] of Object.entries(report.figures)) process.stdout.write(`${fact.padEnd(44)} ${figure}\n`);
} catch (error) {
  broken += 1;
  say(`✗ ${error instanceof Error ? error.message : error}`);
} finally {
  await stack?.close();
  rmSync(dataDir, { recursive: true, force: true });
}
process.stdout.write(broken === 0 ? "faults: all books agree\n" : `faults: ${broken} violations\n`);
process.exit(broken === 0 ? 0 : 1);
