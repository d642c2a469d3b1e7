import { randomBytes } from "node:crypto";
import { openStore } from "@weft/store";

export interface EmptyDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database without a table, on the server that DATABASE_URL names. */
export async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const server = process.env.DATABASE_URL;
  if (!server) throw new Error("DATABASE_URL is not set: run the tests with `npm test`, which starts PostgreSQL");
  const admin = openStore({ url: server, application: "service tests", maxConnections: 1 });
  const name = `service_${randomBytes(6).toString("hex")}`;
  await admin.pool.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      await admin.pool.query(`drop database ${name} with (force)`);
      await admin.close();
    },
  };
}
