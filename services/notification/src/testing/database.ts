import { randomBytes } from "node:crypto";
import { openStore } from "@weft/store";

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of the test's own on the server that DATABASE_URL names. */
export async function createTestDatabase(name: string): Promise<TestDatabase> {
  const { DATABASE_URL } = process.env;
  if (!DATABASE_URL) {
    throw new Error(
      "DATABASE_URL must name a PostgreSQL server and its administrator: `npm test` starts one and sets it",
    );
  }
  const database = `${name}_${randomBytes(6).toString("hex")}`;
  await asAdministrator(DATABASE_URL, `CREATE DATABASE ${database}`);
  const url = new URL(DATABASE_URL);
  url.pathname = `/${database}`;
  return { url: url.href, drop: () => asAdministrator(DATABASE_URL, `DROP DATABASE ${database} WITH (FORCE)`) };
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const store = openStore({ url, application: "test", maxConnections: 1 });
  try {
    await store.pool.query(statement);
  } finally {
    await store.close();
  }
}
