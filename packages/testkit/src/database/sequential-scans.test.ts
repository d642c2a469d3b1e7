import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "./create-test-database.ts";
import { type RecordedStatements, recordStatements } from "./record-statements.ts";
import { sequentialScans } from "./sequential-scans.ts";

interface Tables {
  readonly books: { readonly id: number; readonly author: string; readonly title: string };
  readonly shelves: { readonly id: number };
}

const books = {
  id: "0001_books",
  sql: `
    CREATE TABLE books (id integer PRIMARY KEY, author text NOT NULL, title text NOT NULL);
    CREATE INDEX books_by_author ON books (author);
    CREATE TABLE shelves (id integer)`,
};

let database: TestDatabase<Tables>;
let recorded: RecordedStatements;
beforeEach(async () => {
  recorded = recordStatements();
  database = await createTestDatabase<Tables>("testkit", [books], recorded.options);
  await database.store.pool.query(`
    INSERT INTO books SELECT n, 'author ' || n, 'title ' || n FROM generate_series(1, 20000) AS n;
    INSERT INTO shelves SELECT generate_series(1, 100);
    ANALYZE`);
});
afterEach(() => database?.drop());

const scans = () => sequentialScans(database.store, recorded.statements);

describe("a statement's plan", () => {
  it("is no sequential scan where an index finds the rows, whatever the values are", async () => {
    const { db } = database.store;
    await db.selectFrom("books").selectAll().where("author", "=", "author 7").execute();
    await db.selectFrom("books").selectAll().where("id", ">", 19_990).orderBy("id").limit(5).execute();
    await db.updateTable("books").set({ title: "new" }).where("id", "=", 7).execute();
    expect(recorded.statements.size).toBe(3);
    expect(await scans()).toEqual([]);
  });

  it("is one where none does, in a transaction, a part of a statement, or a change too", async () => {
    const { db } = database.store;
    await database.store.transaction(async (tx) => {
      await tx.selectFrom("books").selectAll().where("title", "=", "title 7").execute();
      await tx.deleteFrom("books").where("title", "=", "none").execute();
    });
    await db
      .with("wanted", (query) => query.selectFrom("books").select("id").where("title", "=", "title 7").forUpdate())
      .updateTable("books")
      .set({ title: "new" })
      .where("id", "in", (query) => query.selectFrom("wanted").select("id"))
      .execute();
    const found = await scans();
    expect(found.map(({ table }) => table)).toEqual(["public.books", "public.books", "public.books"]);
    expect(found.map(({ statement }) => statement.split(" ", 1)[0])).toEqual(["select", "delete", "with"]);
  });

  it("may be one of a small table", async () => {
    await database.store.db.selectFrom("shelves").selectAll().execute();
    expect(recorded.statements.size).toBe(1);
    expect(await scans()).toEqual([]);
    expect(await sequentialScans(database.store, recorded.statements, { minRows: 100 })).toHaveLength(1);
  });
});
