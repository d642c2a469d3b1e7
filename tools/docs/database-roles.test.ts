import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseBlocks } from "./parse-blocks.ts";

const root = resolve(import.meta.dirname, "../..");
const suffix = randomBytes(6).toString("hex");
const names = { owner: `order_owner_${suffix}`, service: `order_service_${suffix}`, database: `shop_order_${suffix}` };

/** The page's statements, as a test's own roles and database have them. */
function statementsAs(who: "as the administrator" | "as order_owner"): readonly string[] {
  const page = readFileSync(join(root, "docs/databases.md"), "utf8");
  const block = parseBlocks("docs/databases.md", page).find(({ text }) => text.startsWith("-- as the administrator"));
  const parts = (block?.text ?? "").split(/^-- /m).filter((part) => part.startsWith(who));
  const own = parts.join("").replaceAll(/\b(order_owner|order_service|shop_order)\b/g, `$1_${suffix}`);
  return own
    .split("\n")
    .slice(1)
    .filter((line) => line !== "");
}

/** The database's address for a role, whose password the page says. */
function urlOf(role: string, password: string): string {
  const url = new URL(process.env.DATABASE_URL ?? "");
  Object.assign(url, { username: role, password, pathname: `/${names.database}` });
  return url.href;
}
const owner = urlOf(names.owner, "one secret");
const service = urlOf(names.service, "another secret");

async function run(url: string, statements: readonly string[]): Promise<pg.QueryResult | undefined> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let result: pg.QueryResult | undefined;
    for (const statement of statements) result = await client.query(statement);
    return result;
  } finally {
    await client.end();
  }
}

function migrate(action: "status" | "up", url: string) {
  const program = ["--conditions=source", join(root, "services/order/src/main.ts"), "migrate", action];
  return promisify(execFile)(process.execPath, program, { env: { PATH: process.env.PATH, DATABASE_URL: url } });
}

beforeAll(async () => {
  await run(process.env.DATABASE_URL ?? "", statementsAs("as the administrator"));
  await run(owner, statementsAs("as order_owner"));
});
afterAll(async () => {
  await run(process.env.DATABASE_URL ?? "", [
    `DROP DATABASE ${names.database} WITH (FORCE)`,
    `DROP ROLE ${names.owner}, ${names.service}`,
  ]);
});

describe("with the two roles of docs/databases.md", () => {
  it("the owner migrates, which the service's role can't", async () => {
    await expect(migrate("up", service)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("denied") });
    expect((await migrate("up", owner)).stdout).toContain("0001_orders applied");
    expect((await migrate("status", service)).stdout).not.toContain("pending");
  });

  it("the service's role reads and writes every table, and no more", async () => {
    const tables = await run(owner, [
      "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE tableowner = current_user",
    ]);
    expect(tables?.rows.length).toBeGreaterThan(8);
    for (const { name } of tables?.rows ?? []) {
      await run(service, [`SELECT FROM ${name}`, `DELETE FROM ${name}`]);
      await expect(run(service, [`DROP TABLE ${name}`])).rejects.toThrow("must be owner");
    }
    await run(service, [
      "INSERT INTO weft.commands (scope, key, request_hash, lease_until) VALUES ('s', 'k', '', now())",
      "INSERT INTO weft.outbox (id, stream, subject, key, key_seq, headers, data) VALUES (gen_random_uuid(), 's', 's', 'k', 1, '{}', '')",
    ]);
  });
});
