import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../../../until.ts";
import type { Ground } from "../../runner/row.ts";
import { later } from "./later.ts";
import { type Program, startProgram } from "./program.ts";
import type { Attempt, Behaviour, Load, LoadReport, Served, ServiceName, Watched } from "./programs/orders.ts";
import { createRedis, type RedisServer } from "./redis.ts";

export interface FleetOptions {
  /** Where the processes find the registry; default: a Redis of the row's own. */
  readonly redisUrl?: string;
  /** How many processes call; default 2. */
  readonly callers?: number;
  /** Default 2000, as in every process of the mesh. */
  readonly heartbeatMs?: number;
  /** A main thread that stands still for longer loses its leases. Default: the registry's. */
  readonly blockedMs?: number;
  /** The callers note each attempt. */
  readonly notesAttempts?: boolean;
  /** Of the callers' wall clocks, in milliseconds. */
  readonly callersClockOffMs?: number;
  /** Whether instances shed what they find out that they can't do. Default false. */
  readonly sheds?: boolean;
}

export interface InstanceStart {
  /** Default "back". */
  readonly service?: ServiceName;
  readonly behaviour?: Behaviour;
  /** How wrong its wall clock is, in milliseconds. */
  readonly clockOffMs?: number;
  readonly redisUrl?: string;
}

/** A process that serves. */
export interface FleetInstance {
  readonly name: string;
  readonly pid: number;
  behave(behaviour: Behaviour): void;
  /** Stands its event loop still; resolves at once. */
  block(ms: number): void;
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
  /** Ends it with -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to end; resolves when it has. */
  stop(): Promise<void>;
  /** Every handler that it ran. */
  served(): Promise<readonly Served[]>;
}

/** Services and their callers, a process each, which find each other through Redis. All of it ends with the row. */
export interface Fleet {
  /** Absent where another one is used. */
  readonly redis: RedisServer | undefined;
  start(instance?: InstanceStart): Promise<FleetInstance>;
  startMany(count: number, instance?: InstanceStart): Promise<readonly FleetInstance[]>;
  /** Calls from all callers together; resolves when the last call has ended. */
  load(load: Omit<Load, "seed">): Promise<LoadReport>;
  /** Lets every path be compiled and every connection opened before something is measured. */
  warmUp(methods?: Load["methods"]): Promise<void>;
  /** The same, with no more calls than the instances can serve. */
  warmUpTo(perSecond: number, forMs: number, methods: Load["methods"]): Promise<void>;
  attempts(): Promise<readonly Attempt[]>;
  /** The back service's instances as the registry has them. */
  registered(): Promise<readonly string[]>;
  /** Has a caller watch a service besides those that it calls. */
  watch(service: string): Promise<void>;
  /** What that caller has come to. */
  watched(): Promise<Watched>;
}

const clockOff = fileURLToPath(new URL("./programs/clock-off.ts", import.meta.url));

export async function openFleet(ground: Ground, options: FleetOptions = {}): Promise<Fleet> {
  const { callers: callerCount = 2, heartbeatMs = 2_000, notesAttempts = false, blockedMs } = options;
  const redis = options.redisUrl === undefined ? await startRedis(ground) : undefined;
  const seed = (): number => Math.floor(ground.random() * 2 ** 32);
  const defaultUrl = options.redisUrl ?? redis?.url ?? "";

  function startOne(
    file: "instance" | "caller",
    given: object,
    { clockOffMs = 0, redisUrl = defaultUrl }: Pick<InstanceStart, "clockOffMs" | "redisUrl">,
  ): Promise<Program> {
    return startProgram({
      file,
      options: given,
      env: {
        ...{ HOST: "127.0.0.1", PORT: "0", REDIS_URL: redisUrl, LOG_LEVEL: "warn" },
        WEFT_HEARTBEAT_MS: `${heartbeatMs}`,
        ...(options.sheds && { WEFT_SHEDDING: "on" }),
        ...(blockedMs !== undefined && { WEFT_BLOCKED_MS: `${blockedMs}` }),
        CLOCK_OFF_MS: `${clockOffMs}`,
        // A start takes half the time with it, which is most of a short row.
        NODE_COMPILE_CACHE: join(ground.root, ".weft", "compiled"),
      },
      ...(clockOffMs !== 0 && { preload: [clockOff] }),
      onLine: (line) => ground.onLine(file, line),
      onEnd: ground.fail,
      atEnd: ground.atEnd,
    });
  }

  // Not awaited: instances start meanwhile.
  const calling = Promise.all(
    Array.from({ length: callerCount }, () =>
      startOne("caller", { notesAttempts }, { clockOffMs: options.callersClockOffMs ?? 0 }),
    ),
  );
  calling.catch((error: Error) => ground.fail(error.message));

  async function first(): Promise<Program> {
    const [caller] = await calling;
    if (!caller) throw new Error("a fleet without callers can't be asked");
    return caller;
  }

  async function loadAll(load: Omit<Load, "seed">): Promise<LoadReport> {
    const callers = await calling;
    const part = { ...load, perSecond: load.perSecond / callers.length };
    const reports = await Promise.all(
      callers.map((caller) => caller.ask<LoadReport>({ kind: "load", load: { ...part, seed: seed() } })),
    );
    return {
      calls: reports.flatMap(({ calls }) => calls).toSorted((a, b) => a.startedAt - b.startedAt),
      retries: reports.reduce((sum, { retries }) => sum + retries, 0),
      errors: Object.assign({}, ...reports.map(({ errors }) => errors)),
    };
  }

  const fleet: Fleet = {
    redis,
    start({ service = "back", behaviour = {}, ...where } = {}) {
      return later(startOne("instance", { service, behaviour, seed: seed() }, where).then(instanceOf));
    },
    startMany: (count, start) => Promise.all(Array.from({ length: count }, () => fleet.start(start))),
    load: (load) => later(loadAll(load)),
    warmUp: (methods = ["read", "write"]) => fleet.warmUpTo(400, 1_500, methods),
    async warmUpTo(perSecond, forMs, methods) {
      let errors: LoadReport["errors"] = {};
      const answers = async (): Promise<true | undefined> => {
        const report = await fleet.load({ perSecond: Math.min(100, perSecond), forMs: 500, methods });
        errors = report.errors;
        return report.calls.length > 0 && Object.keys(errors).length === 0 ? true : undefined;
      };
      await until("calls that are all answered", answers, 30_000).catch((late: Error) => {
        throw new Error(`${late.message}; there were ${JSON.stringify(errors)}`);
      });
      await fleet.load({ perSecond, forMs, methods });
    },
    async attempts() {
      const callers = await calling;
      return (await Promise.all(callers.map((caller) => caller.ask<Attempt[]>({ kind: "attempts" })))).flat();
    },
    registered: async () => await (await first()).ask<string[]>({ kind: "list" }),
    watch: async (service) => await (await first()).ask({ kind: "watch", service }),
    watched: async () => await (await first()).ask<Watched>({ kind: "watched" }),
  };
  return fleet;
}

async function startRedis(ground: Ground): Promise<RedisServer> {
  const redis = await createRedis(ground.folder());
  ground.atEnd(() => redis.kill());
  await redis.start();
  return redis;
}

function instanceOf(program: Program): FleetInstance {
  return {
    name: program.instance,
    pid: program.pid,
    behave: (behaviour) => program.tell({ kind: "behave", behaviour }),
    block: (ms) => program.tell({ kind: "block", ms }),
    signal: (signal) => program.signal(signal),
    async kill() {
      program.signal("SIGKILL");
      await program.ended;
    },
    async stop() {
      program.signal("SIGTERM");
      await program.ended;
    },
    served: () => program.ask<Served[]>({ kind: "served" }),
  };
}
