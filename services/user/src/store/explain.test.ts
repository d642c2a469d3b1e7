import { randomUUID } from "node:crypto";
import { createLargeDatabase, type LargeDatabase } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeAccount, openAccount } from "../domain/user.ts";
import { migrations, type UserDatabase } from "./schema.ts";
import { createUserRepository } from "./user-repository.ts";

/** Every tenth one was deleted. */
const users = `
  INSERT INTO users
  SELECT gen_random_uuid(), n || '@example.com', 'n', CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'active' END,
    timestamptz '2026-01-01' + n * interval '1 minute', timestamptz '2026-01-01' + n * interval '1 minute'
  FROM generate_series(1, 100000) AS n`;

let database: LargeDatabase<UserDatabase>;
beforeAll(async () => {
  database = await createLargeDatabase("user", migrations, users);
});
afterAll(() => database?.drop());

describe("among 100,000 accounts", () => {
  it("each statement of the store finds its rows by an index", async () => {
    const users = createUserRepository(database.store);
    const now = new Date();
    const { id, email } = await users.add(openAccount(randomUUID(), { email: "ada@example.com", name: "Ada" }, now));
    await users.change(id, (user) => ({ ...user, name: "Ada King" }));
    await users.get(id);
    await users.findByEmail(email);
    const oldest = await users.page(undefined, 50);
    await users.page(oldest.at(-1), 50);
    for (const includeDeleted of [false, true]) {
      let read = 0;
      for await (const _user of users.all(includeDeleted)) if (++read > 1_000) break;
    }
    await users.change(id, (user) => closeAccount(user, now));
    expect(await database.sequentialScans()).toEqual([]);
  });
});
