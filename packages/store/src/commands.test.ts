import { createCall, runWithCall } from "@weft/context";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { commandMigrations, createCommandStore } from "./commands.ts";
import { migrate } from "./migrate.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";
import { startHangingCommand } from "./testing/hanging-command.ts";

interface Tables {
  readonly account: { readonly id: string; readonly balance: number };
}

let database: TestDatabase;
let store: Store<Tables>;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore<Tables>({ url: database.url, application: "commands-test", maxConnections: 30 });
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

  it("has one effect and one answer when fifty callers use the key at once", async () => {
    let id = 0;
    const call = async (): Promise<string> => {
      for (;;) {
        const answer = await claim("k");
        if (answer.kind === "stored") return new TextDecoder().decode(answer.response);
        if (answer.kind === "claimed") await open("k", answer.claim, `account-${++id}`);
      }
    };
    const answers = await Promise.all(Array.from({ length: 50 }, call));
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

  it("is taken over when its process was killed in the middle of it, not before its lease is over", async () => {
    const command = { scope, key: "k", requestHash, leaseMs: 1_000 };
    const victim = await startHangingCommand(database.url, command);
    expect(await claim("k")).toEqual({ kind: "running" });
    await victim.kill();
    expect(await claim("k"), "nobody knows yet that it is dead").toEqual({ kind: "running" });
    const taken = await vi.waitUntil(
      async () => {
        const answer = await claim("k");
        return answer.kind === "claimed" && answer;
      },
      { timeout: 10_000 },
    );
    await open("k", taken.claim);
    expect(await balances(), "the victim's change went with it").toEqual({ k: 0 });
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

  const age = (key: string) =>
    sql`update weft.commands set claimed_at = claimed_at - interval '1 day' where key = ${key}`.execute(store.db);
  const sweep = (limit?: number) =>
    createCommandStore(store).sweep({ retentionMs: 3_600_000, ...(limit !== undefined && { limit }) });

  it("is forgotten after its retention, answered or not, and its key is free", async () => {
    await claim("dead", -1);
    await open("answered", await claimed("answered", -1));
    await open("young", await claimed("young", -1));
    await Promise.all(["dead", "answered"].map(age));
    expect(await sweep()).toBe(2);
    expect((await claim("young")).kind).toBe("stored");
    for (const key of ["dead", "answered"]) expect((await claim(key)).kind).toBe("claimed");
  });

  it("is remembered as long when its first run died and another one answered it", async () => {
    await claim("k", -1);
    await age("k");
    await open("k", await claimed("k", -1));
    expect(await sweep()).toBe(0);
    expect((await claim("k")).kind).toBe("stored");
  });

  it("is not forgotten while it runs, and no more at once than asked", async () => {
    await claim("running");
    await Promise.all(Array.from({ length: 5 }, (_, n) => claim(`old-${n}`, -1)));
    for (const key of ["running", ...Array.from({ length: 5 }, (_, n) => `old-${n}`)]) await age(key);
    expect(await sweep(3)).toBe(3);
    expect(await sweep(3)).toBe(2);
    expect(await claim("running")).toEqual({ kind: "running" });
  });
});
