import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWorkspace } from "../workspace.fixture.ts";
import { createServiceDatabases } from "./databases.ts";

const server = process.env.DATABASE_URL;
if (server === undefined) throw new Error("DATABASE_URL is not set: run the tests with `npm test`");

const { root } = createWorkspace({ "package.json": "{}" });
const file = join(root, "passwords.json");
const suffix = randomBytes(4).toString("hex");
const admin = `weft_admin_${suffix}`;
const names = [`weft_order_${suffix}`, `weft_user_${suffix}`] as const;
const adminUrl = new URL(server);
adminUrl.username = admin;
adminUrl.password = "secret";

async function query(url: string, ...statements: string[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let result = await client.query("select");
    for (const statement of statements) result = await client.query(statement);
    return result;
  } finally {
    await client.end();
  }
}

describe("the services' databases on a server that is there already", () => {
  // As managed servers have it: an administrator who is no superuser.
  beforeAll(async () => {
    await query(server, `create role ${admin} login createdb createrole password 'secret'`);
  });
  afterAll(async () => {
    for (const name of names) {
      await query(server, `drop database if exists ${name} with (force)`, `drop role if exists ${name}`);
    }
    await query(server, `drop role ${admin}`);
    rmSync(root, { recursive: true, force: true });
  });

  it("belong to a role each, to which no other role can connect", async () => {
    const urls = await createServiceDatabases(adminUrl.href, names, file);
    const [order, user] = names.map((name) => urls[name] as string) as [string, string];
    const { rows } = await query(
      order,
      "create table t (id int)",
      "select current_user as me, current_database() as db",
    );
    expect(rows).toEqual([{ me: names[0], db: names[0] }]);
    const intruder = new URL(user);
    intruder.pathname = `/${names[0]}`;
    await expect(query(intruder.href)).rejects.toThrow(/permission denied for database/);
  });

  it("keep their passwords and their content over a second start", async () => {
    const before = await createServiceDatabases(adminUrl.href, names, file);
    const after = await createServiceDatabases(adminUrl.href, names, file);
    expect(after).toEqual(before);
    expect((await query(after[names[0]] as string, "select from t")).rowCount).toBe(0);
  });
});
