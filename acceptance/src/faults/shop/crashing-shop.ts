import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService, Stack, StateDetail } from "@weft/devstack";
import type { Ground } from "../runner/row.ts";
import type { CrashPlan } from "./crash-plan.ts";
import { type OpenShop, openShop } from "./open-shop.ts";

export interface CrashingShop extends Pick<OpenShop, "now"> {
  /** From now on each service crashes where the plan says and is started again, and who calls others is killed besides. */
  begin(): Promise<void>;
  /** The end of that: no service has a step left to crash at. Resolves with how often callers were killed. */
  end(): Promise<number>;
}

/**
 * How often who calls others is killed, in milliseconds. One that starts has no open circuits: they open for a minute when a
 * peer is away or slow, and here one always is.
 */
const callers = { gateway: 8_000, order: 20_000 };

/** Opens a shop whose services kill themselves by a plan. One that ends in any other way fails the row. */
export async function openCrashingShop(
  ground: Ground,
  plan: CrashPlan,
  env: Readonly<Record<string, string>>,
): Promise<CrashingShop> {
  let stack: Stack | undefined;
  const opened = await openShop(ground, {
    env,
    startEnv: plan.startEnv,
    onLine(service, line) {
      ground.onLine(service, line);
      // Who is killed says nothing.
      if (stack && line.includes('"msg":"stopping"')) ground.fail(`${service} stops by itself: ${line}`);
    },
    onState(service, state, detail) {
      if (!stack || state !== "crashed") return;
      if (detail.exit?.signal !== "SIGKILL" || !plan.crashed(service)) return ground.fail(unplanned(service, detail));
      // One that crashes before it is ready is told of here again.
      void start(stack.service(service));
    },
  });
  stack = opened.stack;
  const { service } = opened.stack;
  const over = new AbortController();
  let killing: Promise<readonly number[]> = Promise.resolve([]);
  const noMore = async (): Promise<number> => {
    over.abort();
    return (await killing).reduce((sum, kills) => sum + kills, 0);
  };
  ground.atEnd(async () => {
    await noMore();
  });

  async function restart(): Promise<void> {
    for (const name of plan.services) {
      await service(name).kill("SIGKILL");
      await start(service(name));
    }
  }

  return {
    now: opened.now,
    async begin() {
      plan.begin();
      await restart();
      const signal = AbortSignal.any([ground.signal, over.signal]);
      killing = Promise.all(
        Object.entries(callers).map(([name, everyMs]) => killAgainAndAgain(service(name), everyMs, signal)),
      );
    },
    async end() {
      const kills = await noMore();
      plan.end();
      await restart();
      return kills;
    },
  };
}

/** Resolves with how often it was killed, once the signal has aborted. */
async function killAgainAndAgain(service: RunningService, everyMs: number, signal: AbortSignal): Promise<number> {
  for (let kills = 0; ; kills++) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return kills;
    await service.kill("SIGKILL");
    await start(service);
  }
}

/** Resolves when it serves, and also when it crashes before. */
async function start(service: RunningService): Promise<void> {
  await service.start().catch(() => undefined);
}

function unplanned(service: string, { exit }: StateDetail): string {
  if (!exit) return `${service} did not start, or never got ready`;
  return `${service} ended by ${exit.signal ?? `code ${exit.code}`}, and was not to crash`;
}
