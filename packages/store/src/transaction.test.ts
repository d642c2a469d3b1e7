import { createCall, runWithCall } from "@weft/context";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commandMigrations, createCommandStore } from "./commands.ts";
import { isUnavailable, isUniqueViolation } from "./errors.ts";
import { migrate } from "./migrate.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { currentTransaction, onCommit } from "./transaction.ts";

interface Tables {
  readonly account: { readonly id: string; readonly balance: number };
}

let database: TestDatabase;
let store: Store<Tables>;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore<Tables>({ url: database.url, application: "store-test", maxConnections: 30 });
  await migrate(store, [
    ...commandMigrations,
    { id: "0001_account", sql: "create table account (id text primary key, balance int not null)" },
  ]);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});
beforeEach(async () => {
  await sql`truncate account, weft.commands`.execute(store.db);
});

const balances = async (): Promise<Record<string, number>> => {
  const rows = await store.db.selectFrom("account").selectAll().orderBy("id").execute();
  return Object.fromEntries(rows.map(({ id, balance }) => [id, balance]));
};
const insert = (id: string, balance = 0) =>
  store.transaction((tx) => tx.insertInto("account").values({ id, balance }).execute());

describe("a transaction", () => {
  it("commits what it returns from and rolls back what it throws from", async () => {
    await insert("a");
    await expect(
      store.transaction(async (tx) => {
        await tx.insertInto("account").values({ id: "b", balance: 0 }).execute();
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await balances()).toEqual({ a: 0 });
    expect(currentTransaction()).toBeUndefined();
  });

  it("is joined by one inside it", async () => {
    await expect(
      store.transaction(async () => {
        await insert("a");
        throw new Error("the outer one fails");
      }),
    ).rejects.toThrow();
    expect(await balances()).toEqual({});
  });

  it("survives an inner one that failed, without the inner one's writes and hooks", async () => {
    const hooks: string[] = [];
    await insert("taken");
    await store.transaction(async () => {
      await insert("outer");
      onCommit(() => hooks.push("outer"));
      const inner = store.transaction(async () => {
        onCommit(() => hooks.push("inner"));
        await insert("inner");
        await insert("taken");
      });
      await expect(inner).rejects.toSatisfy((error) => isUniqueViolation(error, "account_pkey"));
      expect(hooks).toEqual([]);
    });
    expect(hooks).toEqual(["outer"]);
    expect(await balances()).toEqual({ outer: 0, taken: 0 });
  });

  it("lets inner ones that were started together take turns", async () => {
    await insert("taken");
    await store.transaction(async () => {
      await Promise.allSettled(["a", "taken", "b"].map((id) => insert(id)));
    });
    expect(Object.keys(await balances())).toEqual(["a", "b", "taken"]);
  });

  it("runs again when it lost a deadlock", async () => {
    await insert("a");
    await insert("b");
    let runs = 0;
    const met = Promise.withResolvers<void>();
    let waiting = 0;
    const add = (first: string, second: string) =>
      store.transaction(async (tx) => {
        runs += 1;
        await sql`set local deadlock_timeout = 20`.execute(tx);
        await sql`update account set balance = balance + 1 where id = ${first}`.execute(tx);
        waiting += 1;
        if (waiting === 2) met.resolve();
        await met.promise;
        await sql`update account set balance = balance + 1 where id = ${second}`.execute(tx);
      });
    await Promise.all([add("a", "b"), add("b", "a")]);
    // One lost at least once; under load the same two can meet again.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(await balances()).toEqual({ a: 2, b: 2 });
  });

  it("fails as unavailable when its connection is killed, and the next one succeeds", async () => {
    const failed = store.transaction(async (tx) => {
      await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
    });
    await expect(failed).rejects.toSatisfy(isUnavailable);
    await insert("after");
    expect(await balances()).toEqual({ after: 0 });
  });
});

describe("a keyed command", () => {
  const scope = "bank.v1.Bank/Open";
  const requestHash = new Uint8Array([1]);
  const claim = (key: string, leaseMs = 60_000, hash = requestHash) =>
    createCommandStore(store).claim({ scope, key, requestHash: hash, leaseMs });
  const claimed = async (key: string, leaseMs?: number): Promise<bigint> => {
    const answer = await claim(key, leaseMs);
    return answer.kind === "claimed" ? answer.claim : expect.unreachable(`the key is ${answer.kind}`);
  };
  const open = (key: string, claim: bigint | undefined, id = key) => {
    const encode = (id: unknown) => new TextEncoder().encode(`opened ${id}`);
    const command = { scope, key, claim, encode, stored: false };
    return runWithCall(createCall({ command }), async () => {
      await store.transaction(async (tx) => {
        await tx.insertInto("account").values({ id, balance: 0 }).execute();
        return store.transaction(async () => "inner result").then(() => id);
      });
      return command;
    });
  };

  it("commits its response with its change", async () => {
    expect((await open("k", await claimed("k"))).stored).toBe(true);
    const answer = await claim("k");
    expect(answer).toEqual({ kind: "stored", response: new TextEncoder().encode("opened k") });
    expect(await claim("k", 1, new Uint8Array([2]))).toEqual({ kind: "mismatch" });
  });

  it("has one effect and one answer when twenty callers use the key at once", async () => {
    let id = 0;
    const call = async (): Promise<string> => {
      for (;;) {
        const answer = await claim("k");
        if (answer.kind === "stored") return new TextDecoder().decode(answer.response);
        if (answer.kind === "claimed") await open("k", answer.claim, `account-${++id}`);
      }
    };
    const answers = await Promise.all(Array.from({ length: 20 }, call));
    expect(new Set(answers)).toEqual(new Set(["opened account-1"]));
    expect(await balances()).toEqual({ "account-1": 0 });
  });

  it("is taken over after its lease, and then only one of the two runs commits", async () => {
    const sleeper = await claimed("k", -1);
    const taker = await claimed("k");
    await expect(open("k", sleeper, "the sleeper's")).rejects.toThrow("another run");
    await open("k", taker, "the taker's");
    await expect(open("k", sleeper, "the sleeper's")).rejects.toThrow("another run");
    await createCommandStore(store).release({ scope, key: "k", claim: sleeper });
    expect(await balances()).toEqual({ "the taker's": 0 });
    expect((await claim("k")).kind).toBe("stored");
  });

  it("is not answered by a run whose claim was released and taken anew", async () => {
    const commands = createCommandStore(store);
    const sleeper = await claimed("k", -1);
    await commands.release({ scope, key: "k", claim: await claimed("k") });
    const taker = await claimed("k");
    await commands.release({ scope, key: "k", claim: sleeper });
    await commands.complete({ scope, key: "k", response: new Uint8Array([1]), claim: sleeper });
    await expect(open("k", sleeper, "the sleeper's")).rejects.toThrow("another run");
    await open("k", taker, "the taker's");
    expect(await balances()).toEqual({ "the taker's": 0 });
  });

  it("frees its key when it is released, and not once it was answered", async () => {
    const commands = createCommandStore(store);
    await claim("k");
    expect(await claim("k")).toEqual({ kind: "running" });
    await commands.release({ scope, key: "k" });
    expect((await claim("k")).kind).toBe("claimed");
    await commands.complete({ scope, key: "k", response: new Uint8Array([7]) });
    await commands.release({ scope, key: "k" });
    expect(await claim("k")).toEqual({ kind: "stored", response: new Uint8Array([7]) });
  });

  it("is forgotten after its retention", async () => {
    await claim("old", -1);
    await sql`update weft.commands set claimed_at = now() - interval '1 day'`.execute(store.db);
    await claim("young");
    expect(await createCommandStore(store).sweep({ retentionMs: 3_600_000 })).toBe(1);
    expect(await claim("young")).toEqual({ kind: "running" });
  });
});
