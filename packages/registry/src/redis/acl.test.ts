import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually, record, summary } from "../conformance.ts";
import { isRegistrationDenied, isRegistryUnavailable } from "../errors.ts";
import { aclRules, createRegistryUsers } from "./acl.ts";
import { channelOf, keysOf } from "./keys.ts";
import { openInTests, registrationOf } from "./testing/open-in-tests.ts";
import { recordLog } from "./testing/record-log.ts";
import { startCluster } from "./testing/start-cluster.ts";
import { type PrivateRedis, startRedis } from "./testing/start-redis.ts";

const heartbeatMs = 200;
const orders = "shop.order.v1.OrderService";
const users = "shop.user.v1.UserService";
const { own, connect } = openInTests({ heartbeatMs });
let server: PrivateRedis;

beforeAll(async () => {
  server = await startRedis();
  await createRegistryUsers(server.url, [
    { name: "shop_order", password: "order's 0wn", registers: ["shop.order.*"] },
    { name: "shop_user", password: "us3r", registers: [users] },
    { name: "shop_gateway", password: "g4teway", registers: [] },
  ]);
});
afterAll(() => server.kill());
function urlOf(name: string, password: string, url = server.url): string {
  return url.replace("://", `://${name}:${encodeURIComponent(password)}@`);
}

function clientOf(name: string, password: string): Redis {
  const client = new Redis(urlOf(name, password));
  own(() => client.disconnect());
  return client;
}

test("each user registers its own services, and finds those of others", async () => {
  // Nothing is polled as long as this lasts: they hear of it.
  const options = { heartbeatMs: 60_000 };
  const order = connect(urlOf("shop_order", "order's 0wn"), options);
  const user = connect(urlOf("shop_user", "us3r"), options);
  const gateway = connect(urlOf("shop_gateway", "g4teway"), options);
  const watchers = [record(gateway, orders), record(gateway, users)];
  for (const { watch } of watchers) await watch.ready;
  await user.register(registrationOf(users));
  const lease = await order.register(registrationOf(orders));
  for (const watcher of watchers) await watcher.until("a UP");
  await lease.update({ state: "DRAINING" });
  await watchers[0]?.until("a DRAINING");
  // Not by a hint.
  await eventually(async () => expect(summary(await gateway.list(orders))).toEqual(["a DRAINING"]));
  expect(await gateway.services()).toEqual([orders, users]);
  expect(summary(await user.list(orders))).toEqual(["a DRAINING"]);
  await lease.release();
  await watchers[0]?.until();
  expect(await order.services()).toEqual([users]);
});

test.each([
  ["another service's name", "shop_user", "us3r", orders],
  ["a name that begins like its own", "shop_user", "us3r", `${users}2`],
  ["a name in a package that begins like its own", "shop_order", "order's 0wn", "shop.orders.v1.OrderService"],
  ["any name, as a reader", "shop_gateway", "g4teway", "shop.gateway.v1.GatewayService"],
])("a registration under %s is refused at once, and says what to do", async (_, name, password, service) => {
  // Were it tried again, the test would end before.
  const registry = connect(urlOf(name, password), { registerTimeoutMs: 600_000 });
  const error = await registry.register(registrationOf(service)).catch((thrown: unknown) => thrown);
  expect(isRegistrationDenied(error) && error.message).toContain(`"${name}" may not register ${service}`);
  expect(String(error)).toContain("aclRules");
  expect(String(error)).not.toContain(password);
  expect(await server.client.exists(...keysOf(service).slice(0, 2))).toBe(0);
});

test("a user that loses its right keeps no lease, and its process is told why", async () => {
  const name = "shop_former";
  const service = "shop.former.v1.FormerService";
  await createRegistryUsers(server.url, [{ name, password: "p", registers: [service] }]);
  const { logger, warnings } = recordLog();
  const lease = await connect(urlOf(name, "p"), { logger }).register(registrationOf(service));
  await createRegistryUsers(server.url, [{ name, password: "p", registers: [] }]);
  await eventually(() => expect(warnings.join()).toContain(`may not register ${service}`));
  await expect(lease.update({ state: "DOWN" })).rejects.toSatisfy(isRegistrationDenied);
  const reader = connect(server.url);
  await eventually(async () => expect(await reader.list(service)).toEqual([]));
});

test("a user that may not read is told so once, and again after it could", async () => {
  const name = "shop_stranger";
  const { logger, errors } = recordLog();
  await server.client.call("ACL", "SETUSER", name, "reset", "on", ">p", "+@connection", "+info", "resetchannels");
  const registry = connect(urlOf(name, "p"), { logger });
  const watcher = record(registry, orders);
  await eventually(() => expect(errors.join()).toContain(`does not let its user "${name}" read ${orders}`));
  expect(errors.join()).toContain("aclRules");
  const error = await registry.list(orders).catch((thrown: unknown) => thrown);
  expect(isRegistryUnavailable(error)).toBe(true);
  expect(errors).toHaveLength(1);
  await createRegistryUsers(server.url, [{ name, password: "p", registers: [] }]);
  await watcher.watch.ready;
  await server.client.call("ACL", "SETUSER", name, "nopass", "-@all", "+@connection", "+info");
  await eventually(() => expect(errors).toHaveLength(2));
});

test("of two services a refused one is complained of once, though the other one's beats go well", async () => {
  const name = "shop_half";
  const [kept, lost] = ["shop.half.v1.KeptService", "shop.half.v1.LostService"];
  await createRegistryUsers(server.url, [{ name, password: "p", registers: [kept, lost] }]);
  const { logger, warnings } = recordLog();
  const registry = connect(urlOf(name, "p"), { logger });
  await registry.register(registrationOf(kept));
  await registry.register(registrationOf(lost));
  await createRegistryUsers(server.url, [{ name, password: "p", registers: [kept] }]);
  await eventually(() => expect(warnings).toHaveLength(1));
  // Gone, so several beats were refused.
  await eventually(async () => expect(await registry.list(lost)).toEqual([]));
  expect(warnings).toHaveLength(1);
});

test("a user writes nobody else's keys, tells nobody else's changes and sees nothing else of Redis", async () => {
  await server.client.set("somebody's", "secret");
  const [leases, instances, version, log] = keysOf(orders);
  const user = clientOf("shop_user", "us3r");
  const forbidden: readonly (readonly [string, ...string[]])[] = [
    ["ZADD", leases, "1", "ghost"],
    ["HSET", instances, "i:a", "x"],
    ["SET", version, "1.1"],
    ["DEL", log],
    ["EVAL", "return redis.call('DEL', KEYS[1])", "1", leases],
    ["EVAL", `return redis.call('DEL', '${leases}')`, "0"],
    ["PUBLISH", channelOf(orders), "1.1"],
    ["GET", "somebody's"],
    ["SUBSCRIBE", "somebody's"],
    ["KEYS", "*"],
    ["FLUSHALL"],
    ["CONFIG", "GET", "*"],
    ["ACL", "LIST"],
  ];
  for (const command of forbidden) {
    await expect(user.call(...command), command.join(" ")).rejects.toThrow(
      /NOPERM|The user executing the script can't access/,
    );
  }
  const gateway = clientOf("shop_gateway", "g4teway");
  await expect(gateway.zadd("weft:services", 1, "a.B")).rejects.toThrow("NOPERM");
});

test("users of a Cluster are known to each of its nodes", { timeout: 60_000 }, async () => {
  const redis = await startCluster({ replicas: 0 });
  own(() => redis.close());
  await createRegistryUsers(redis.url, [{ name: "shop", password: "p", registers: ["shop.*"] }]);
  const registry = connect(urlOf("shop", "p", redis.url));
  const services = Array.from({ length: 8 }, (_, i) => `shop.s${i}.v1.Service`);
  const watchers = services.map((service) => record(registry, service));
  for (const service of services) await registry.register(registrationOf(service));
  for (const watcher of watchers) await watcher.until("a UP");
  const denied = await registry.register(registrationOf("bank.v1.Bank")).catch((error: unknown) => error);
  expect(isRegistrationDenied(denied)).toBe(true);
});

test("a reader that missed a hint reads what changed", async () => {
  const gateway = connect(urlOf("shop_gateway", "g4teway"));
  const service = "shop.order.v1.ReturnService";
  await connect(urlOf("shop_order", "order's 0wn")).register(registrationOf(service));
  const watcher = record(gateway, service);
  await watcher.until("a UP");
  const [leases, instances, version, log] = keysOf(service);
  const [born, count] = String(await server.client.get(version)).split(".");
  const change = server.client
    .multi()
    .zadd(leases, Date.now() + 60_000, "b")
    .hset(instances, "b", "b 0 0 9 UP h 1 {}");
  await change
    .zadd(log, Number(count) + 1, "+b")
    .set(version, `${born}.${Number(count) + 1}`)
    .exec();
  await watcher.until("a UP", "b UP");
});

test("the rules say no password, and begin anew", () => {
  const rules = aclRules({ name: "shop_user", password: "secret", registers: [users] });
  expect(rules.slice(0, 2)).toEqual(["reset", "on"]);
  expect(rules.join(" ")).not.toContain("secret");
});

test.each([
  ["a name with a space", { name: "shop user" }],
  ["no password", { password: "" }],
  ["a service with a pattern in its midst", { registers: ["shop.*.v1.UserService"] }],
  ["every service", { registers: ["*"] }],
  ["a service that would leave its keys", { registers: ["a}:b"] }],
])("%s makes no user", (_, change) => {
  expect(() => aclRules({ name: "shop_user", password: "p", registers: [users], ...change })).toThrow(RangeError);
});

test("users behind Sentinels are refused, since a replica would not know them", async () => {
  const sentinels = "redis+sentinel://127.0.0.1:1/weft";
  await expect(createRegistryUsers(sentinels, [])).rejects.toThrow(/each by its own redis:\/\/ URL/);
});

test("who is no administrator makes no users", async () => {
  const created = createRegistryUsers(urlOf("shop_user", "us3r"), [{ name: "x", password: "p", registers: [] }]);
  await expect(created).rejects.toSatisfy(isRegistryUnavailable);
});
