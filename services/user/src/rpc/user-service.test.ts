import { randomUUID } from "node:crypto";
import { toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { CreateUserResponseSchema, UserStatus } from "@shop/contracts/user";
import { forgedPageTokens, refusal } from "@weft/testkit";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openUserService, type RunningUserService } from "../testing/running-user-service.ts";

const nobody = "f0000000-0000-4000-8000-000000000000";

let database: TestDatabase;
let service: RunningUserService;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await openUserService(database);
});
beforeEach(async () => {
  await database.empty();
  service.clock.now = new Date("2026-05-01T10:00:00Z");
});
afterAll(async () => {
  await service?.close();
  await database?.drop();
});

const create = (email: string, { name = "Ada Lovelace", key = randomUUID() as string } = {}) =>
  service.client.createUser({ email, name }, { headers: { "idempotency-key": key } });

async function opened(email = `${randomUUID()}@example.com`): Promise<string> {
  return (await create(email)).user?.id ?? "";
}

async function accounts(): Promise<number> {
  return (await database.store.db.selectFrom("users").select("id").execute()).length;
}

const minuteLater = () => {
  service.clock.now = new Date(service.clock.now.getTime() + 60_000);
};

describe("CreateUser", () => {
  it("opens an account and tells of it", async () => {
    const { user } = await create("Ada@Example.com");
    expect(user).toMatchObject({ email: "ada@example.com", name: "Ada Lovelace", status: UserStatus.ACTIVE });
    expect(user?.createdAt && timestampDate(user.createdAt)).toEqual(service.clock.now);
    expect((await service.client.getUser({ userId: user?.id ?? "" })).user).toEqual(user);
    expect(await database.news(user?.id ?? "")).toEqual(["1 UserCreated"]);
  });

  it.each(["ada@example.com", "ADA@Example.COM"])("refuses %s when an active account has it", async (email) => {
    await create("ada@example.com");
    expect(await refusal(create(email))).toMatchObject({
      code: Code.AlreadyExists,
      rawMessage: "an account with the e-mail address ada@example.com exists",
    });
    expect(await accounts()).toBe(1);
  });

  it("gives an address to one of two that ask at once", async () => {
    const ends = await Promise.allSettled([create("ada@example.com"), create("Ada@example.com")]);
    const refused = ends.filter((end) => end.status === "rejected");
    expect(refused).toMatchObject([{ reason: { code: Code.AlreadyExists } }]);
    expect(await accounts()).toBe(1);
  });

  it("opens one account, with identical bytes, when one key comes twenty times at once", async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create("ada@example.com", { key })));
    const bytes = answers.map((answer) => Buffer.from(toBinary(CreateUserResponseSchema, answer)).toString("hex"));
    expect(new Set(bytes).size).toBe(1);
    expect(await accounts()).toBe(1);
    expect(await database.news(answers[0]?.user?.id ?? "")).toEqual(["1 UserCreated"]);
  });

  it("keeps account, event and answer in one transaction, so that a crash leaves all or nothing", async () => {
    await create("ada@example.com");
    const { rows } = await sql<{ transactions: number }>`
      SELECT count(DISTINCT xmin::text)::integer AS transactions
      FROM (SELECT xmin FROM users UNION ALL SELECT xmin FROM weft.outbox UNION ALL SELECT xmin FROM weft.commands) AS written
    `.execute(database.store.db);
    expect(rows).toEqual([{ transactions: 1 }]);
  });

  it("answers a repeat with the first answer's bytes, whatever became of the account", async () => {
    const key = randomUUID();
    const first = await create("ada@example.com", { key });
    await service.client.deleteUser({ userId: first.user?.id ?? "" });
    expect(await create("ada@example.com", { key })).toEqual(first);
    expect(await accounts()).toBe(1);
  });

  it("refuses another account under the same key", async () => {
    const key = randomUUID();
    await create("ada@example.com", { key });
    expect(await refusal(create("grace@example.com", { key }))).toMatchObject({ code: Code.InvalidArgument });
    expect(await accounts()).toBe(1);
  });

  it("frees the key of a refused account, so that it can be tried again", async () => {
    const userId = await opened("ada@example.com");
    const key = randomUUID();
    await refusal(create("ada@example.com", { key }));
    await service.client.deleteUser({ userId });
    expect((await create("ada@example.com", { key })).user?.status).toBe(UserStatus.ACTIVE);
  });
});

describe("GetUser", () => {
  it("finds an account by its id in capitals too, and after it was deleted", async () => {
    const userId = await opened();
    await service.client.deleteUser({ userId });
    const { user } = await service.client.getUser({ userId: userId.toUpperCase() });
    expect(user).toMatchObject({ id: userId, status: UserStatus.DELETED });
  });
});

describe("FindUserByEmail", () => {
  it("finds the active account, however its address is spelt", async () => {
    const deleted = await opened("ada@example.com");
    await service.client.deleteUser({ userId: deleted });
    const { user: created } = await create("ada@example.com");
    const { user } = await service.client.findUserByEmail({ email: "ADA@example.com" });
    expect(user).toEqual(created);
  });

  it("finds no deleted account", async () => {
    await service.client.deleteUser({ userId: await opened("ada@example.com") });
    expect(await refusal(service.client.findUserByEmail({ email: "ada@example.com" }))).toMatchObject({
      code: Code.NotFound,
      rawMessage: "no user has the e-mail address ada@example.com",
    });
  });
});

describe("UpdateUser", () => {
  it("changes the fields that the mask names, and no other that is sent along (PATCH)", async () => {
    const id = await opened("ada@example.com");
    minuteLater();
    const request = { user: { id, name: "Ada King", email: "king@example.com" }, updateMask: { paths: ["name"] } };
    const { user } = await service.client.updateUser(request);
    expect(user).toMatchObject({ name: "Ada King", email: "ada@example.com" });
    expect(user?.updatedAt && timestampDate(user.updatedAt)).toEqual(service.clock.now);
    expect(await database.news(id)).toEqual(["1 UserCreated", "2 UserUpdated"]);
  });

  it("changes all fields when there is no mask, or an empty one (PUT)", async () => {
    const id = await opened("ada@example.com");
    const whole = await service.client.updateUser({ user: { id, name: "Ada King", email: "King@Example.com" } });
    expect(whole.user).toMatchObject({ name: "Ada King", email: "king@example.com" });
    const user = { id, name: "Ada Byron", email: "byron@example.com" };
    const again = await service.client.updateUser({ user, updateMask: { paths: [] } });
    expect(again.user).toMatchObject({ name: "Ada Byron", email: "byron@example.com" });
  });

  it("ignores what only the service sets", async () => {
    const id = await opened("ada@example.com");
    const user = { id, name: "Ada", email: "ada@example.com", status: UserStatus.DELETED, createdAt: { seconds: 1n } };
    const { user: updated } = await service.client.updateUser({ user });
    expect(updated?.status).toBe(UserStatus.ACTIVE);
    expect(updated?.createdAt && timestampDate(updated.createdAt)).toEqual(service.clock.now);
  });

  it("tells nobody of an update that changes nothing", async () => {
    const id = await opened("ada@example.com");
    const before = await service.client.getUser({ userId: id });
    minuteLater();
    const { user } = await service.client.updateUser({ user: { id, name: "Ada Lovelace", email: "ADA@example.com" } });
    expect(user).toEqual(before.user);
    expect(await database.news(id)).toEqual(["1 UserCreated"]);
  });

  it("refuses an address that another active account has", async () => {
    await opened("grace@example.com");
    const id = await opened("ada@example.com");
    const request = { user: { id, email: "Grace@example.com" }, updateMask: { paths: ["email"] } };
    expect((await refusal(service.client.updateUser(request))).code).toBe(Code.AlreadyExists);
    expect((await service.client.getUser({ userId: id })).user?.email).toBe("ada@example.com");
  });

  it("leaves a deleted account alone", async () => {
    const id = await opened();
    await service.client.deleteUser({ userId: id });
    const request = { user: { id, name: "Ada King" }, updateMask: { paths: ["name"] } };
    expect(await refusal(service.client.updateUser(request))).toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: `user ${id} was deleted`,
    });
  });
});

describe("DeleteUser", () => {
  it("closes an account once, and frees its address", async () => {
    const userId = await opened("ada@example.com");
    minuteLater();
    const first = await service.client.deleteUser({ userId });
    expect(first.user?.status).toBe(UserStatus.DELETED);
    minuteLater();
    expect(await service.client.deleteUser({ userId })).toEqual(first);
    expect(await database.news(userId)).toEqual(["1 UserCreated", "2 UserDeleted"]);
    expect(await opened("ada@example.com")).not.toBe(userId);
  });

  it("deletes once when twenty ask at once", async () => {
    const userId = await opened();
    const answers = await Promise.all(Array.from({ length: 20 }, () => service.client.deleteUser({ userId })));
    expect(new Set(answers.map(({ user }) => user?.status))).toEqual(new Set([UserStatus.DELETED]));
    expect(await database.news(userId)).toEqual(["1 UserCreated", "2 UserDeleted"]);
  });
});

describe("ListUsers", () => {
  async function pages(pageSize: number, between = async (): Promise<void> => {}): Promise<string[][]> {
    const seen: string[][] = [];
    let pageToken = "";
    do {
      const page = await service.client.listUsers({ pageSize, pageToken });
      seen.push(page.users.map(({ id }) => id));
      pageToken = page.nextPageToken;
      await between();
    } while (pageToken !== "");
    return seen;
  }

  it("pages through active accounts, oldest first, also those of one moment", async () => {
    const ids: string[] = [];
    for (let minute = 0; minute < 3; minute += 1) {
      ids.push(...[await opened(), await opened()].sort());
      minuteLater();
    }
    const deleted = ids.splice(2, 1)[0] ?? "";
    await service.client.deleteUser({ userId: deleted });
    expect(await pages(2)).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  });

  it("goes on after the account that ended the page before, though it was deleted meanwhile", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      ids.push(await opened());
      minuteLater();
    }
    const last = async () => void (await service.client.deleteUser({ userId: ids[1] ?? "" }));
    expect(await pages(2, last)).toEqual([ids.slice(0, 2), ids.slice(2)]);
  });

  it("has twenty accounts a page when it isn't told how many", async () => {
    for (let i = 0; i < 21; i += 1) await opened();
    expect((await pages(0)).map((page) => page.length)).toEqual([20, 1]);
  });

  it.each(forgedPageTokens)("refuses a page token %s", async (_what, pageToken) => {
    expect(await refusal(service.client.listUsers({ pageToken }))).toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining("page_token"),
    });
  });
});

describe("an unknown account", () => {
  it.each([
    ["GetUser", () => service.client.getUser({ userId: nobody })],
    ["DeleteUser", () => service.client.deleteUser({ userId: nobody })],
    ["UpdateUser", () => service.client.updateUser({ user: { id: nobody, name: "N", email: "n@example.com" } })],
  ])("is NOT_FOUND by name to %s", async (_, call) => {
    expect(await refusal(call())).toMatchObject({ code: Code.NotFound, rawMessage: `user ${nobody} does not exist` });
  });
});
