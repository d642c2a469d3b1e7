import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { choosePort } from "../process/ports.ts";
import { startServer } from "./find-server.ts";
import { given } from "./given.ts";
import { clusterSize, startNatsCluster } from "./nats-cluster.ts";
import type { Ground, Part } from "./part.ts";
import { startPostgres } from "./postgres.ts";
import { startProgram, waitForGreeting } from "./program.ts";
import { nats, redis } from "./servers.ts";

export interface Infrastructure {
  readonly nats: Part;
  readonly redis: Part;
  readonly postgres: Part;
  readonly mail: Part;
  readonly payments: Part;
  /** NATS_URL (and NATS_REPLICAS of a cluster), REDIS_URL, DATABASE_URL (an administrator's), SMTP_URL, MAILBOX_URL, PAYMENT_PROVIDER_URL. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const SMTP_PORT = 22525;
const MAILBOX_PORT = 22580;
const PAYMENTS_PORT = 22590;

/** Starts all infrastructure, or takes what the environment names. When one part fails, the others are stopped again. */
export async function startInfrastructure(ground: Ground): Promise<Infrastructure> {
  const mailboxPort = await choosePort(ground.ports === "dev" ? MAILBOX_PORT : undefined);
  const results = await Promise.allSettled([
    ground.cluster === true ? startNatsCluster(ground) : startServer(nats, ground),
    startServer(redis, ground),
    startPostgres(ground),
    startMail(ground, mailboxPort),
    startPayments(ground),
  ]);
  const parts = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async () => void (await Promise.all(parts.map((part) => part.stop())));
  const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
  if (errors.length > 0) {
    await stop();
    if (errors.length === 1) throw errors[0];
    throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
  }
  const [natsPart, redisPart, postgres, mail, payments] = parts as [Part, Part, Part, Part, Part];
  const mailbox = mail.source === "own" ? `http://127.0.0.1:${mailboxPort}` : ground.env.MAILBOX_URL;
  return {
    nats: natsPart,
    redis: redisPart,
    postgres,
    mail,
    payments,
    env: {
      NATS_URL: natsPart.url,
      ...(natsPart.nodes !== undefined && { NATS_REPLICAS: `${clusterSize}` }),
      REDIS_URL: redisPart.url,
      DATABASE_URL: postgres.url,
      SMTP_URL: mail.url,
      ...(mailbox !== undefined && { MAILBOX_URL: mailbox }),
      PAYMENT_PROVIDER_URL: payments.url,
    },
    stop,
  };
}

function startMail(ground: Ground, mailboxPort: number): Promise<Part> {
  const url = ground.env.SMTP_URL;
  if (url) return given("mail", "SMTP_URL", url);
  return startProgram(ground, {
    name: "mail",
    source: "own",
    preferredPort: SMTP_PORT,
    url: (port) => `smtp://127.0.0.1:${port}`,
    launch: (port) => ({
      ...nodeProgram("../mail/main"),
      env: { ...ground.env, SMTP_PORT: `${port}`, HTTP_PORT: `${mailboxPort}`, DATA_DIR: `${ground.dataDir}/mail` },
      orphan: "pipe",
    }),
    serves: (port, _child, signal) => waitForGreeting(port, "", "220 ", signal),
  });
}

function startPayments(ground: Ground): Promise<Part> {
  const url = ground.env.PAYMENT_PROVIDER_URL;
  if (url) return given("payments", "PAYMENT_PROVIDER_URL", url);
  return startProgram(ground, {
    name: "payments",
    source: "own",
    preferredPort: PAYMENTS_PORT,
    url: (port) => `http://127.0.0.1:${port}`,
    launch: (port) => ({
      ...nodeProgram("../payments/main"),
      env: { ...ground.env, HTTP_PORT: `${port}`, DATA_DIR: `${ground.dataDir}/payments` },
      orphan: "pipe",
    }),
    serves: (port, _child, signal) => waitForGreeting(port, "GET /charges HTTP/1.0\r\n\r\n", "HTTP/1.1 200", signal),
  });
}

/** A program of this package, small and with its lifeline. */
export function nodeProgram(module: string): { command: string; args: readonly string[] } {
  return {
    command: process.execPath,
    args: ["--max-semi-space-size=1", "--import", moduleUrl("../process/lifeline"), fileURLToPath(moduleUrl(module))],
  };
}

/** `.ts` in the repository, `.js` where the package is built. */
export function moduleUrl(module: string): string {
  return new URL(`${module}${extname(import.meta.filename)}`, import.meta.url).href;
}
