import { randomBytes } from "node:crypto";
import { openStore } from "@weft/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrateCommand } from "./migrate-command.ts";

const server = process.env.DATABASE_URL ?? "";
const database = `migrate_command_${randomBytes(6).toString("hex")}`;
const url = new URL(server);
url.pathname = `/${database}`;
const admin = openStore({ url: server, application: "migrate-command-test" });
beforeAll(() => admin.pool.query(`create database ${database}`));
afterAll(async () => {
  await admin.pool.query(`drop database ${database} with (force)`);
  await admin.close();
});

const shelf = { id: "0001_shelf", sql: "create table shelf (id int)" };
const book = { id: "0002_book", sql: "create table book (id int)" };

/** What the program prints, what it complains of, and its exit code. */
async function run(
  command: string,
  migrations = [shelf, book],
  env: Record<string, string> = { DATABASE_URL: url.href },
) {
  const lines: string[] = [];
  const complaints: string[] = [];
  const code = await migrateCommand({
    name: "library",
    migrations,
    args: command.split(" "),
    env,
    print: (line) => lines.push(line),
    complain: (line) => complaints.push(line),
  });
  return { code, lines, complaints };
}

const at = expect.stringMatching(/^0001_shelf {2}applied \d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe("migrate", () => {
  it("tells of each migration in a line whether it is applied, and applies what is pending", async () => {
    expect(await run("migrate status")).toEqual({
      code: 0,
      lines: ["0001_shelf  pending", "0002_book   pending"],
      complaints: [],
    });
    expect((await run("migrate up", [shelf])).lines).toEqual(["0001_shelf applied"]);
    expect((await run("migrate status")).lines).toEqual([at, "0002_book   pending"]);
    expect(await run("migrate up")).toEqual({ code: 0, lines: ["0002_book applied"], complaints: [] });
    expect(await run("migrate up")).toEqual({ code: 0, lines: ["nothing is pending"], complaints: [] });
  });

  it("tells of what a newer version applied", async () => {
    const { lines } = await run("migrate status", [shelf]);
    expect(lines).toEqual([at, expect.stringMatching(/^0002_book {3}applied \S+ by a newer version$/)]);
  });

  it.for([
    [
      "a migration that was changed",
      "migrate status",
      [{ ...shelf, sql: "create table shelves ()" }],
      url.href,
      /^library: migration 0001_shelf was changed after it was applied: put it back/,
    ],
    [
      "a migration that fails",
      "migrate up",
      [shelf, { id: "0003_bad", sql: "select 1 / 0" }],
      url.href,
      /^library: migration 0003_bad failed: division by zero$/,
    ],
    [
      "no DATABASE_URL",
      "migrate up",
      [],
      "",
      /^library: The environment is not what this service needs: DATABASE_URL: Invalid URL$/,
    ],
    [
      "a database that is away",
      "migrate status",
      [],
      "postgres://weft@localhost:1/weft",
      /^library: connect ECONNREFUSED/,
    ],
    ["another command", "migrate down", [], url.href, /^library: there is no "migrate down"/],
  ] as const)("ends with 1 and one line for %s", async ([, command, migrations, DATABASE_URL, line]) => {
    const { code, lines, complaints } = await run(command, [...migrations], { DATABASE_URL });
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(complaints).toEqual([expect.stringMatching(line)]);
  });
});
