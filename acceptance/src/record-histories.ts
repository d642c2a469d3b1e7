import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Stack, startStack } from "@weft/devstack";
import { createJetStreamBroker } from "@weft/events/jetstream";
import { readEvents } from "./histories/events.ts";
import { paymentTimeoutMs, reservationTtlMs, type Scenario, scenarios } from "./histories/scenarios.ts";
import { shopOf } from "./shop.ts";

/**
 * Records histories that are not there yet: `node --conditions=source acceptance/src/record-histories.ts [--only=name,…]`. Plays
 * each scenario on a stack of its own and writes what the streams got to acceptance/histories. What is recorded stays as it is:
 * a history is what an earlier version published, and later ones have to read it.
 */
const { values } = parseArgs({ options: { only: { type: "string" } } });
const root = resolve(import.meta.dirname, "../..");
const fileOf = ({ name }: Scenario): string => join(root, "acceptance/histories", `${name}.json`);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const wanted = scenarios.filter(
  (scenario) => !existsSync(fileOf(scenario)) && (values.only?.split(",").includes(scenario.name) ?? true),
);
if (wanted.length === 0) {
  say("histories: all are recorded");
  process.exit(0);
}

const dataDir = mkdtempSync(join(root, ".weft-histories-"));
let stack: Stack | undefined;
let failed = false;
try {
  stack = await startStack({
    root,
    dataDir,
    ports: "free",
    restart: false,
    env: {
      ...process.env,
      LOG_LEVEL: "warn",
      RESERVATION_TTL_MS: String(reservationTtlMs),
      PAYMENT_TIMEOUT_MS: String(paymentTimeoutMs),
      NATS_URL: "",
      REDIS_URL: "",
      DATABASE_URL: "",
    },
  });
  const { env, services } = stack;
  const shop = () => shopOf({ env, services: Object.fromEntries(services.map((service) => [service.name, service])) });
  const broker = createJetStreamBroker({ url: env.NATS_URL ?? "", name: "histories" });
  const reader = readEvents(broker);
  try {
    for (const scenario of wanted) {
      await reader.next();
      await scenario.play({ stack, shop });
      const events = await reader.next();
      const history = { note: scenario.note, events };
      writeFileSync(fileOf(scenario), `${JSON.stringify(history, null, 2)}\n`, { flag: "wx" });
      say(`histories: ${scenario.name} has ${events.length} events`);
    }
  } finally {
    await reader.close();
    await broker.close();
  }
} catch (error) {
  failed = true;
  say(`histories: ${error instanceof Error ? error.message : error}`);
} finally {
  await stack?.close();
  rmSync(dataDir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
