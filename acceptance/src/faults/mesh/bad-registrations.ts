import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { isInvalidRegistration, isLeaseLost, isRegistrationDenied, type Registration } from "@weft/registry";
import { createRedisRegistry, createRegistryUsers } from "@weft/registry/redis";
import { BackService } from "../../gen/weft/acceptance/v1/index.ts";
import { inLanes } from "../../in-lanes.ts";
import type { Ground, Row } from "../runner/row.ts";
import { failedCalls, outcomes } from "./fleet/calls.ts";
import { openFleet } from "./fleet/open-fleet.ts";
import { createRedis, type RedisServer } from "./fleet/redis.ts";

const heartbeatMs = 2_000;
const elsewhere = "weft.elsewhere.v1.ElsewhereService";
const flooded = "weft.elsewhere.v1.FloodedService";
const password = "secret";

/** Who must not register, must not register that, or registers without end, beside services that go on with their work. */
export const badRegistrations: Row = {
  name: "mesh-registrations",
  claim: "registrations that are forged, unreachable, huge, stale or without end: refused, and nobody grows by them",
  minutes: 4,
  async run(ground) {
    const { findings, size, say } = ground;
    const redis = await createRedis(ground.folder());
    ground.atEnd(() => redis.kill());
    await redis.start();
    await createRegistryUsers(redis.url, [
      { name: "back", password, registers: [BackService.typeName] },
      { name: "elsewhere", password, registers: ["weft.elsewhere.*"] },
      { name: "reader", password, registers: [] },
    ]);
    const urlOf = (user: string): string => redis.url.replace("://", `://${user}:${password}@`);
    const fleet = await openFleet(ground, { redisUrl: urlOf("reader"), heartbeatMs });
    await fleet.startMany(3, { redisUrl: urlOf("back") });
    await fleet.warmUp();
    const load = fleet.load({ perSecond: 200, forMs: size(30_000, 6_000), methods: ["read", "write"] });

    const registry = createRedisRegistry({ url: urlOf("elsewhere"), heartbeatMs });
    ground.atEnd(() => registry.close());
    const good: Registration = { service: elsewhere, instance: "one", host: "127.0.0.1", port: 9_000, metadata: {} };

    async function refused(
      what: string,
      bad: Partial<Registration>,
      isRight: (error: unknown) => boolean,
    ): Promise<void> {
      const startedAt = performance.now();
      const error = await registry.register({ ...good, ...bad }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!isRight(error)) findings.violation(`${what}: ${error ?? "was not refused"}`);
      findings.within(`${what}: refused after`, performance.now() - startedAt, 1_000, "ms");
    }
    say("registrations that are to be refused");
    await refused("another service's name", { service: BackService.typeName }, isRegistrationDenied);
    for (const host of ["169.254.10.1", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255"]) {
      await refused(`host ${host}`, { host }, isInvalidRegistration);
    }
    await refused("metadata of 1 MB", { metadata: { note: "x".repeat(2 ** 20) } }, isInvalidRegistration);

    say("a registration that is stale");
    const stale = await registry.register(good);
    const fresh = await registry.register({ ...good, port: 9_001 });
    const error = await stale.update({ state: "DRAINING" }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!isLeaseLost(error)) findings.violation(`a stale epoch's change: ${error ?? "was not refused"}`);
    await sleep(2 * heartbeatMs);
    const listed = (await registry.list(elsewhere)).map(({ epoch, state }) => `${epoch} ${state}`).join();
    if (listed !== `${fresh.epoch} UP`) findings.violation(`beside a stale epoch the registry lists ${listed}`);

    await flood(ground, redis, urlOf, fleet);
    const { calls, errors } = await load;
    findings.figure("calls meanwhile", calls.length);
    findings.figure("outcomes meanwhile", JSON.stringify(outcomes(calls)));
    for (const [code, text] of Object.entries(errors)) findings.figure(`first ${code}`, text);
    findings.count("calls that failed meanwhile", failedCalls(calls).length, 0);
  },
};

async function flood(
  { findings, size, say, atEnd, onLine, signal }: Ground,
  redis: RedisServer,
  urlOf: (user: string) => string,
  fleet: Awaited<ReturnType<typeof openFleet>>,
): Promise<void> {
  const wanted = size(100_000, 3_000);
  const maxInstances = size(10_000, 300);
  say(`${wanted} registrations of one service`);
  await fleet.watch(flooded);
  const [redisBefore, watcherBefore] = [await usedMiB(redis), (await fleet.watched()).residentMiB];
  const said = new Set<string>();
  const log = (fields: object, message: string): void => {
    if (!said.has(message)) onLine("flood", `${message} ${inspect(fields)}`);
    said.add(message);
  };
  const logger = { info: log, warn: log, error: log };
  const registry = createRedisRegistry({ url: urlOf("elsewhere"), heartbeatMs, maxInstances, logger });
  atEnd(() => registry.close());
  const seen = { accepted: 0, denied: 0, otherwise: 0 };
  const startedAt = performance.now();
  const ids = Array.from({ length: wanted }, (_, i) => `flood-${i}`);
  await inLanes(ids, 256, async (instance) => {
    signal.throwIfAborted();
    try {
      await registry.register({ service: flooded, instance, host: "127.0.0.1", port: 9_000, metadata: {} });
      seen.accepted += 1;
    } catch (error) {
      if (isRegistrationDenied(error)) seen.denied += 1;
      else seen.otherwise += 1;
    }
  });
  findings.figure("registrations a second", Math.round((1_000 * wanted) / (performance.now() - startedAt)));
  await sleep(2 * heartbeatMs, undefined, { signal });
  const { listed, residentMiB } = await fleet.watched();
  findings.count(`instances accepted of ${wanted}`, seen.accepted, maxInstances);
  findings.count("instances refused otherwise than as denied", seen.otherwise, 0);
  findings.count("instances that a watcher lists", listed, maxInstances);
  findings.within("Redis grew by", (await usedMiB(redis)) - redisBefore, 32, "MiB");
  findings.within("a watcher grew by", residentMiB - watcherBefore, 64, "MiB");
}

async function usedMiB(redis: RedisServer): Promise<number> {
  const [, bytes = "0"] = /^used_memory:(\d+)/m.exec(await redis.command("INFO", "memory")) ?? [];
  return Number(bytes) / 2 ** 20;
}
