import { randomUUID } from "node:crypto";
import { UserCreatedSchema, UserDeletedSchema, UserUpdatedSchema } from "@shop/contracts/user";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createUser } from "../app/create-user.ts";
import { deleteUser } from "../app/delete-user.ts";
import { updateUser } from "../app/update-user.ts";
import type { Users } from "../app/users.ts";
import { EmailTakenError, type User, UserNotFoundError } from "../domain/user.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { createUserRepository } from "./user-repository.ts";

let database: TestDatabase;
let users: Users;

beforeAll(async () => {
  database = await createTestDatabase();
  users = createUserRepository(database.store);
});
beforeEach(() => database.empty());
afterAll(() => database?.drop());

const at = new Date("2026-05-01T10:00:00.123Z");
const now = () => at;
const open = (email = `${randomUUID()}@example.com`, name = "Ada") =>
  createUser(users, randomUUID, now)({ email, name });
const update = (id: string, changes: { email?: string; name?: string }) => updateUser(users, now)(id, changes);
const close = (id: string) => deleteUser(users, now)(id);

/** So many accounts, an hour apart, without the way through the use case. */
async function openMany(count: number, status: User["status"] = "active"): Promise<void> {
  await sql`
    INSERT INTO users SELECT gen_random_uuid(), n || ${`.${status}@example.com`}, 'n', ${status}, ${at}::timestamptz + n * interval '1 hour', ${at}
    FROM generate_series(1, ${count}::integer) AS n`.execute(database.store.db);
}

async function read(accounts: AsyncIterable<User>): Promise<User[]> {
  const seen: User[] = [];
  for await (const account of accounts) seen.push(account);
  return seen;
}

describe("an account in the database", () => {
  it("is read as it was written", async () => {
    const user = await open();
    expect(await users.get(user.id)).toEqual(user);
    expect(await users.findByEmail(user.email)).toEqual(user);
  });

  it("comes with events that tell of each change, numbered in its order", async () => {
    const { id: userId } = await open("ada@example.com", "Ada Lovelace");
    await update(userId, { name: "Ada King" });
    await close(userId);
    const published = await database.published(userId);
    expect(published.map(({ keySeq, event }) => [keySeq, event.$typeName])).toEqual([
      [1n, UserCreatedSchema.typeName],
      [2n, UserUpdatedSchema.typeName],
      [3n, UserDeletedSchema.typeName],
    ]);
    const time = { seconds: BigInt(Math.floor(at.getTime() / 1_000)), nanos: 123_000_000 };
    expect(published.map(({ event }) => event)).toMatchObject([
      { userId, email: "ada@example.com", name: "Ada Lovelace", createdAt: time },
      { userId, email: "ada@example.com", name: "Ada King", updatedAt: time },
      { userId, deletedAt: time },
    ]);
  });

  it("tells nobody when nothing changed", async () => {
    const { id, name } = await open();
    await update(id, { name });
    await close(id);
    await close(id);
    expect(await database.news(id)).toEqual(["1 UserCreated", "2 UserDeleted"]);
  });

  it("is neither there nor told of when the transaction rolls back", async () => {
    let id = "";
    const lost = database.store.transaction(async () => {
      id = (await open()).id;
      throw new Error("the connection broke before the commit");
    });
    await expect(lost).rejects.toThrow("the connection broke");
    expect(await users.get(id)).toBeUndefined();
    expect(await database.news(id)).toEqual([]);
  });

  it("can't be changed when it isn't there", async () => {
    await expect(update(randomUUID(), { name: "Nobody" })).rejects.toThrow(UserNotFoundError);
    await expect(close(randomUUID())).rejects.toThrow(UserNotFoundError);
  });

  it("loses no change of twenty at once", async () => {
    const { id } = await open("count@example.com", "0");
    const addOne = (user: User): User => ({ ...user, name: String(Number(user.name) + 1) });
    await Promise.all(Array.from({ length: 20 }, () => users.change(id, addOne)));
    expect((await users.get(id))?.name).toBe("20");
    expect((await database.published(id)).map(({ keySeq }) => keySeq)).toEqual(
      Array.from({ length: 21 }, (_, i) => BigInt(i + 1)),
    );
  });
});

describe("an e-mail address", () => {
  it("belongs to one active account, and to the next one once that is deleted", async () => {
    const first = await open("ada@example.com");
    await expect(open("Ada@Example.com")).rejects.toThrow(EmailTakenError);
    await close(first.id);
    const second = await open("ada@example.com");
    expect(await users.findByEmail("ada@example.com")).toEqual(second);
    expect((await users.get(first.id))?.email).toBe("ada@example.com");
  });

  it("can't be taken over from another account, and the refused account stays as it was", async () => {
    await open("grace@example.com");
    const ada = await open("ada@example.com");
    await expect(update(ada.id, { email: "grace@example.com", name: "Grace" })).rejects.toThrow(EmailTakenError);
    expect(await users.get(ada.id)).toEqual(ada);
    expect(await database.news(ada.id)).toEqual(["1 UserCreated"]);
  });

  it("goes to one of many who want it at once", async () => {
    const accounts = await Promise.all(Array.from({ length: 8 }, () => open()));
    const ends = await Promise.allSettled(accounts.map(({ id }) => update(id, { email: "wanted@example.com" })));
    const refused = ends.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
    expect(refused).toHaveLength(7);
    for (const reason of refused) expect(reason).toBeInstanceOf(EmailTakenError);
  });
});

describe("the list of accounts", () => {
  it("is read by the page, oldest first and by id among those of one moment, without the deleted ones", async () => {
    await openMany(3);
    await openMany(3, "deleted");
    const moment = [await open(), await open(), await open()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const seen: User[] = [];
    for (let page = await users.page(undefined, 2); page.length > 0; page = await users.page(seen.at(-1), 2)) {
      expect(page.length).toBeLessThanOrEqual(2);
      seen.push(...page);
    }
    expect(seen.slice(0, 3)).toEqual(moment);
    expect(seen.slice(3).map(({ email }) => email)).toEqual(["1", "2", "3"].map((n) => `${n}.active@example.com`));
  });

  it("is read whole in one go, however long it is, each account once", async () => {
    await openMany(1_001);
    await openMany(3, "deleted");
    const active = await read(users.all(false));
    expect(active.map(({ email }) => email)).toEqual(
      Array.from({ length: 1_001 }, (_, i) => `${i + 1}.active@example.com`),
    );
    const all = await read(users.all(true));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1_004);
  });

  it("that ends with a full page ends there", async () => {
    await openMany(500);
    expect(await read(users.all(true))).toHaveLength(500);
  });
});
