import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLargeDatabase, type LargeDatabase } from "./create-large-database.ts";
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

let database: LargeDatabase<Tables>;
beforeEach(async () => {
  database = await createLargeDatabase<Tables>(
    "testkit",
    [books],
    `INSERT INTO books SELECT n, 'author ' || n, 'title ' || n FROM generate_series(1, 20000) AS n;
     INSERT INTO shelves SELECT generate_series(1, 100)`,
  );
});
afterEach(() => database?.drop());

describe("a statement's plan", () => {
  it("is no sequential scan where an index finds the rows, whatever the values are", async () => {
    const { db } = database.store;
    await db.selectFrom("books").selectAll().where("author", "=", "author 7").execute();
    await db.selectFrom("books").selectAll().where("id", ">", 19_990).orderBy("id").limit(5).execute();
    await db.updateTable("books").set({ title: "new" }).where("id", "=", 7).execute();
    expect(await database.sequentialScans()).toEqual([]);
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
    const found = await database.sequentialScans();
    expect(found.map(({ table }) => table)).toEqual(["public.books", "public.books", "public.books"]);
    expect(found.map(({ statement }) => statement.split(" ", 1)[0])).toEqual(["select", "delete", "with"]);
  });

  it("may be one of a small table", async () => {
    await database.store.db.selectFrom("shelves").selectAll().execute();
    expect(await database.sequentialScans()).toEqual([]);
    const statements = ["select from shelves where id = $1"];
    expect(await sequentialScans(database.store, statements, { minRows: 101 })).toEqual([]);
    const [scan] = await sequentialScans(database.store, statements, { minRows: 100 });
    expect(scan).toEqual({ table: "public.shelves", statement: statements[0] });
  });

  it("is not looked at where nothing was run", async () => {
    await expect(database.sequentialScans()).rejects.toThrow("the store ran no statement");
  });
});
