import { readFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isUnavailable } from "./errors.ts";
import { openStore, type Store } from "./store.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.ts";

let database: TestDatabase;
let store: Store<unknown>;
let away: Store<unknown>;
beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, application: "errors-test" });
  away = openStore({ url: `postgres://weft@127.0.0.1:${await deadPort()}/weft`, application: "errors-test" });
});
afterAll(async () => {
  await store.close();
  await away.close();
  await database.drop();
});

async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

const errorOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => expect.unreachable("it must fail"),
    (error: unknown) => error,
  );

describe("a database that is away", () => {
  it.for([
    ["a statement", () => sql`select 1`.execute(away.db)],
    ["a transaction", () => away.transaction(async () => undefined)],
    ["a ping", () => away.ping()],
    ["a connection of its own", () => away.connect("test")],
  ] as const)("is told by %s", async ([, attempt]) => {
    expect(isUnavailable(await errorOf(attempt()))).toBe(true);
  });

  it("is told through an error that has it as its cause", async () => {
    const cause = await errorOf(away.ping());
    expect(isUnavailable(new Error("no order", { cause }))).toBe(true);
  });

  it("is not meant by another one's refused connection or missing file", async () => {
    const port = await deadPort();
    const refused = await errorOf(
      new Promise((_, reject) => void connect({ port, host: "127.0.0.1" }).on("error", reject)),
    );
    const missing = await errorOf(readFile("/nowhere/at/all"));
    for (const foreign of [refused, missing]) {
      expect(isUnavailable(foreign)).toBe(false);
      const inside = store.transaction(async () => {
        throw foreign;
      });
      expect(isUnavailable(await errorOf(inside))).toBe(false);
    }
  });

  it("is not meant by what the database refuses", async () => {
    expect(isUnavailable(await errorOf(sql`select 1 / 0`.execute(store.db)))).toBe(false);
  });

  it("is told by a store that was closed", async () => {
    const closed = openStore({ url: database.url, application: "errors-test" });
    await closed.close();
    expect(isUnavailable(await errorOf(closed.ping()))).toBe(true);
  });
});
