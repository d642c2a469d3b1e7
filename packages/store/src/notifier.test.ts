import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNotifier } from "./notifier.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { notifyOnCommit } from "./transaction.ts";

let database: TestDatabase;
let own: Store<unknown>;
let other: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  own = openStore({ url: database.url, application: "notifier-test" });
  other = openStore({ url: database.url, application: "notifier-test" });
});
afterAll(async () => {
  await Promise.all([own.close(), other.close()]);
  await database.drop();
});

describe("notifyOnCommit", () => {
  it("tells this process at the commit, another one soon, and nobody of what was rolled back", async () => {
    const heard = { own: 0, other: 0 };
    await own.listen("c", () => heard.own++);
    await other.listen("c", () => heard.other++);
    Object.assign(heard, { own: 0, other: 0 });
    const failed = own.transaction(async () => {
      notifyOnCommit("c");
      throw new Error("rolled back");
    });
    await expect(failed).rejects.toThrow("rolled back");
    expect(heard).toEqual({ own: 0, other: 0 });
    await own.transaction(async () => {
      await own.transaction(async () => notifyOnCommit("c"));
      expect(heard.own).toBe(0);
    });
    expect(heard.own).toBe(1);
    await expect.poll(() => heard.other).toBe(1);
  });

  it("refuses to be called outside of a transaction", () => {
    expect(() => notifyOnCommit("c")).toThrow("outside of a transaction");
  });
});

describe("the notifier", () => {
  it("sends what is told in one moment once, and goes on after a failure", async () => {
    const sent: (readonly string[])[] = [];
    const notifier = createNotifier({
      call() {},
      gapMs: 1,
      async send(channels) {
        sent.push(channels);
        if (sent.length === 1) throw new Error("the database is away");
      },
    });
    for (let i = 0; i < 100; i++) notifier.notify(i % 2 === 0 ? "a" : "b");
    await expect.poll(() => sent.length).toBe(2);
    notifier.notify("a");
    await expect.poll(() => sent.at(-1)).toEqual(["a"]);
    expect(sent).toEqual([["a"], ["b", "a"], ["a"]]);
    notifier.close();
  });
});
