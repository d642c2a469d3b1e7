import { Code } from "@connectrpc/connect";
import { createUserClient, type GenerateUserReportResponse, UserStatus } from "@shop/contracts/user";
import { meshTo, refusal } from "@weft/testkit";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openUserService, type RunningUserService } from "../testing/running-user-service.ts";

type UserClient = RunningUserService["client"];

let database: TestDatabase;
let service: RunningUserService;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await openUserService(database);
});
beforeEach(() => database.empty());
afterEach(() => {
  service.before.report = undefined;
});
afterAll(async () => {
  await service?.close();
  await database?.drop();
});

const group = (name: string) => service.getState().bulkheads.find((bulkhead) => bulkhead.group === name);

async function openMany(count: number): Promise<void> {
  await sql`
    INSERT INTO users SELECT gen_random_uuid(), n || '@example.com', 'n', 'active', now() + n * interval '1 hour', now()
    FROM generate_series(1, ${count}::integer) AS n`.execute(database.store.db);
}

async function report(includeDeleted = false, client = service.client): Promise<GenerateUserReportResponse[]> {
  const rows: GenerateUserReportResponse[] = [];
  for await (const row of client.generateUserReport({ includeDeleted })) rows.push(row);
  return rows;
}

describe("GenerateUserReport", () => {
  it("has a numbered row an account, oldest first, over more than one page of the database", async () => {
    await openMany(1_001);
    const rows = await report();
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 1_001 }, (_, i) => BigInt(i + 1)));
    expect(rows.map(({ user }) => user?.email)).toEqual(
      Array.from({ length: 1_001 }, (_, i) => `${i + 1}@example.com`),
    );
  });

  it("has deleted accounts when they are asked for", async () => {
    const { user } = await service.client.createUser({ email: "ada@example.com", name: "Ada" });
    await service.client.deleteUser({ userId: user?.id ?? "" });
    await openMany(1);
    expect((await report()).map(({ user }) => user?.status)).toEqual([UserStatus.ACTIVE]);
    expect((await report(true)).map(({ user }) => user?.status)).toEqual([UserStatus.DELETED, UserStatus.ACTIVE]);
  });

  it("is empty for a shop without accounts", async () => {
    expect(await report()).toEqual([]);
  });

  it("gives its place back when its reader leaves early", async () => {
    await openMany(1_001);
    for await (const { row } of service.client.generateUserReport({})) if (row === 1n) break;
    await expect.poll(() => group("user_reports")?.running).toBe(0);
    expect(await report()).toHaveLength(1_001);
  });
});

describe("the bulkheads of the contract", () => {
  it("are 20 for queries, 5 for updates and 3 for reports", () => {
    const sizes = service
      .getState()
      .bulkheads.map(({ group, maxConcurrent, maxQueue }) => [group, { maxConcurrent, maxQueue }]);
    expect(Object.fromEntries(sizes)).toEqual({
      user_queries: { maxConcurrent: 20, maxQueue: 500 },
      user_updates: { maxConcurrent: 5, maxQueue: 100 },
      user_reports: { maxConcurrent: 3, maxQueue: 3 },
    });
  });

  it("let three reports run, three wait and no more begin, while accounts are found and opened as ever", async () => {
    const gate = Promise.withResolvers<void>();
    service.before.report = () => gate.promise;
    // Each caller's client has the same bulkheads: it takes three of them to fill the service's.
    const callers = [meshTo(service.address), meshTo(service.address), meshTo(service.address)] as const;
    const [first, second, third] = callers.map(createUserClient) as [UserClient, UserClient, UserClient];
    const running = Array.from({ length: 3 }, () => report(false, first));
    await expect.poll(() => group("user_reports")?.running).toBe(3);
    const waiting = Array.from({ length: 3 }, () => report(false, second));
    await expect.poll(() => group("user_reports")?.queued).toBe(3);
    expect(await refusal(report(false, third))).toMatchObject({
      code: Code.ResourceExhausted,
      rawMessage: expect.stringContaining("user_reports"),
    });
    const { user } = await service.client.createUser({ email: "ada@example.com", name: "Ada" });
    expect((await service.client.getUser({ userId: user?.id ?? "" })).user).toEqual(user);
    gate.resolve();
    const reports = await Promise.all([...running, ...waiting]);
    expect(reports.map((rows) => rows.length)).toEqual([1, 1, 1, 1, 1, 1]);
    await expect.poll(() => group("user_reports")).toMatchObject({ running: 0, queued: 0, rejected: 1 });
    await Promise.all(callers.map((mesh) => mesh.close()));
  });
});
