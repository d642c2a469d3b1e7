import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let store: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "listener-test" });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const notify = (channel: string) => sql`select pg_notify(${channel}, '')`.execute(store.db);

describe("listen", () => {
  it("calls back when it begins, and after each notification on its channel", async () => {
    const calls = vi.fn();
    const listening = await store.listen("a channel", calls);
    expect(calls).toHaveBeenCalledTimes(1);
    await notify("another");
    await notify("a channel");
    await expect.poll(() => calls.mock.calls.length).toBe(2);
    await listening.close();
  });

  it("connects again and calls back once its connection was killed", async () => {
    const calls = vi.fn();
    const listening = await store.listen("orders", calls);
    await database.admin("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [
      "listener-test listen",
    ]);
    await expect.poll(() => calls.mock.calls.length).toBe(2);
    await notify("orders");
    await expect.poll(() => calls.mock.calls.length).toBe(3);
    await listening.close();
  });
});
