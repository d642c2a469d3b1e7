import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedFolders, generateIfChanged } from "./generate.ts";
import { createServiceDatabases } from "./infrastructure/databases.ts";
import { type Infrastructure, startInfrastructure } from "./infrastructure/infrastructure.ts";
import type { Ground } from "./infrastructure/part.ts";
import { passwordFile } from "./infrastructure/passwords.ts";
import { createServiceRedisUsers } from "./infrastructure/redis-users.ts";
import { identify } from "./process/identity.ts";
import { openLedger } from "./process/ledger.ts";
import { choosePort, type PortPlan } from "./process/ports.ts";
import { run } from "./process/programs.ts";
import type { State, StateDetail } from "./process/supervised.ts";
import { consequenceOf, usersOfGenerated } from "./services/affected.ts";
import { type RunningService, superviseService } from "./services/running-service.ts";
import { watchSources } from "./services/watch.ts";
import { readServices, type ServiceDescription } from "./services/workspace.ts";

export interface StackOptions {
  /** The workspace: its services/, packages/ and proto/ are what runs. */
  readonly root: string;
  /** Data, logs, passwords and the ledger; made if need be. One stack at a time works in it. */
  readonly dataDir: string;
  /** `dev`: the same private ports every time, where they are free. `free`: any. */
  readonly ports: PortPlan;
  /** Names of services; absent: all that have a src/main.ts. */
  readonly services?: readonly string[];
  /** Restart what changes in the workspace. Default false. */
  readonly watch?: boolean;
  /** The environment that says which servers are there already and that services inherit. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Start crashed services again, with backoff. Default true; a service that `kill` ended stays down either way. */
  readonly restart?: boolean;
  /** What a service is told besides, asked at each of its starts: a crash drill begins anew with each. */
  readonly startEnv?: (service: string) => Readonly<Record<string, string>>;
  /** Resolve before the services are ready. Default false. */
  readonly awaitReady?: boolean;
  /** The infrastructure's data need not outlive the machine: faster, not durable. Default: `ports` is "free". */
  readonly ephemeral?: boolean;
  /** NATS is a cluster of three, and each stream has three copies: `infrastructure.nats.nodes`. Default: one server. */
  readonly cluster?: boolean;
  /** Of the PostgreSQL that is started, such as "shared_buffers=1GB": a development server is small. */
  readonly postgresSettings?: readonly string[];
  /** What the stack does, for people. Default: nothing is said. */
  readonly say?: (text: string) => void;
  /** Every line of every service; all lines are in `dataDir`/logs too. */
  readonly onLine?: (service: string, line: string) => void;
  readonly onState?: (service: string, state: State, detail: StateDetail) => void;
  /** The process on whose behalf the stack runs. */
  readonly launcherPid?: number;
}

export interface Stack {
  /** The infrastructure's addresses, as variables. DATABASE_URL is an administrator's, REDIS_URL has no user: each service has its own. */
  readonly env: Readonly<Record<string, string>>;
  readonly infrastructure: Infrastructure;
  readonly services: readonly RunningService[];
  /** Throws when there is no such service. */
  service(name: string): RunningService;
  /** Stops the services, then the infrastructure. Nothing is left running. */
  close(): Promise<void>;
}

const GATEWAY_PORTS = { HTTP_PORT: 8080, GRPC_PORT: 9090 };

/**
 * Starts infrastructure and services, and resolves when all are ready. Rejects, with nothing left running, when one
 * can't be started; with StackRunningError when another stack works in `dataDir`.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { root, dataDir, ports, env = process.env, say = () => {} } = options;
  const launcher = options.launcherPid === undefined ? undefined : identify(options.launcherPid);
  const ledger = await openLedger(dataDir, say, launcher);
  const ephemeral = options.ephemeral ?? ports === "free";
  const cluster = options.cluster ?? false;
  const { postgresSettings = [] } = options;
  const ground: Ground = { root, dataDir, env, ports, ledger, say, run, ephemeral, cluster, postgresSettings };
  let infrastructure: Infrastructure | undefined;
  let services: readonly RunningService[] = [];
  let watching: { close(): void } | undefined;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      watching?.close();
      ledger.stopping();
      await Promise.all(services.map((service) => service.stop()));
      await infrastructure?.stop();
      ledger.release();
    })();
    return closing;
  };
  try {
    const descriptions = chooseServices(readServices(root), options.services);
    infrastructure = await startInfrastructure(ground);
    const started = infrastructure;
    const databases = descriptions.flatMap(({ database }) => database ?? []);
    const urls = await createServiceDatabases(
      infrastructure.env.DATABASE_URL as string,
      databases,
      passwordFile(dataDir),
    );
    const redisUrls = await createServiceRedisUsers(infrastructure.redis, descriptions, passwordFile(dataDir));
    const record = () => writeRecord(dataDir, started, services);
    services = await Promise.all(
      descriptions.map(async (description) => {
        const databaseUrl = description.database === undefined ? undefined : urls[description.database];
        return superviseService(ground, description, {
          env: {
            ...(await serviceEnv(ground, started, description, databaseUrl)),
            REDIS_URL: redisUrls[description.name] as string,
          },
          startEnv: options.startEnv ?? (() => ({})),
          databaseUrl,
          restart: (options.restart ?? true) ? "always" : "never",
          onLine: options.onLine ?? (() => {}),
          onState(service, state, detail) {
            record();
            options.onState?.(service, state, detail);
          },
        });
      }),
    );
    const ready = services.map((service) => service.start());
    if (options.watch === true) watching = watch(ground, services);
    if (options.awaitReady !== false) await Promise.all(ready);
    record();
    return {
      env: infrastructure.env,
      infrastructure,
      services,
      service(name) {
        const found = services.find((service) => service.name === name);
        if (found === undefined)
          throw new Error(`There is no service "${name}": ${services.map((s) => s.name).join(", ")} are.`);
        return found;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function chooseServices(all: readonly ServiceDescription[], names: readonly string[] | undefined) {
  if (names === undefined) return all;
  const unknown = names.filter((name) => !all.some((service) => service.name === name));
  if (unknown.length === 0) return all.filter(({ name }) => names.includes(name));
  throw new Error(
    `There is no service "${unknown.join('", "')}". There are: ${all.map(({ name }) => name).join(", ")}.`,
  );
}

/** Everything that a service is told; what the user's own environment says of mail and heartbeats wins. */
async function serviceEnv(
  ground: Ground,
  infrastructure: Infrastructure,
  { name }: ServiceDescription,
  databaseUrl: string | undefined,
): Promise<Record<string, string>> {
  const { DATABASE_URL: _admin, ...addresses } = infrastructure.env;
  const edge: Record<string, string> = {};
  if (name === "gateway") {
    for (const [variable, preferred] of Object.entries(GATEWAY_PORTS)) {
      const asked = Number(ground.env[variable] ?? preferred);
      const port = await choosePort(ground.ports === "dev" ? asked : undefined);
      if (ground.ports === "dev" && port !== asked)
        ground.say(`gateway: port ${asked} is taken by somebody else, using ${port}`);
      edge[variable] = String(port);
    }
  }
  return {
    ...addresses,
    ...edge,
    // The administrator's never reaches a service: empty where it has no database of its own.
    DATABASE_URL: databaseUrl ?? "",
    HOST: "127.0.0.1",
    PORT: "0",
    MAIL_FROM: ground.env.MAIL_FROM ?? "shop@example.com",
    WEFT_HEARTBEAT_MS: ground.env.WEFT_HEARTBEAT_MS ?? "2000",
  };
}

function watch(ground: Ground, services: readonly RunningService[]): { close(): void } {
  const restart = async (names: readonly string[]) => {
    if (names.length > 0) ground.say(`changed: restarting ${names.join(", ")}`);
    const changed = services.filter(({ name }) => names.includes(name));
    await Promise.all(
      changed.map(async (service) => {
        await service.stop();
        // Not awaited: a service that doesn't start must not hold up the next change, which may mend it.
        void service.start().catch(() => {});
      }),
    );
  };
  return watchSources(ground.root, async (files) => {
    const descriptions = services.map(({ description }) => description);
    const { generate, restart: names } = consequenceOf(files, descriptions);
    const affected = new Set(names);
    try {
      if (generate && (await generateIfChanged(ground.root, ground.env, ground.say, ground.run))) {
        for (const name of usersOfGenerated(generatedFolders(ground.root), descriptions)) affected.add(name);
      }
      await restart([...affected]);
    } catch (error) {
      // The services go on with the last contracts that were good.
      ground.say((error as Error).message);
    }
  });
}

/** What demo, bench and fault tests read to find a stack: `dev.json` in the data folder. */
export interface StackRecord {
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  readonly infrastructure: Readonly<
    Record<string, { readonly pid: number | undefined; readonly source: string; readonly url: string }>
  >;
  readonly services: Readonly<
    Record<
      string,
      {
        readonly pid: number | undefined;
        readonly state: State;
        readonly addresses: Readonly<Record<string, string>>;
        readonly databaseUrl: string | undefined;
      }
    >
  >;
}

function writeRecord(dataDir: string, infrastructure: Infrastructure, services: readonly RunningService[]): void {
  const { nats, redis, postgres, mail, payments } = infrastructure;
  const parts = [nats, ...(nats.nodes ?? []), redis, postgres, mail, payments];
  const record: StackRecord = {
    pid: process.pid,
    env: infrastructure.env,
    infrastructure: Object.fromEntries(parts.map(({ name, pid, source, url }) => [name, { pid, source, url }])),
    services: Object.fromEntries(
      services.map(({ name, pid, state, addresses, databaseUrl }) => [name, { pid, state, addresses, databaseUrl }]),
    ),
  };
  const file = join(dataDir, "dev.json");
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(`${file}.next`, JSON.stringify(record, null, 2), { mode: 0o600 });
  renameSync(`${file}.next`, file);
}
