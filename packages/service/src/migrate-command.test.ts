import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrateCommand } from "./migrate-command.ts";
import { createEmptyDatabase, type EmptyDatabase } from "./testing/database.ts";

let database: EmptyDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase();
});
afterAll(() => database.drop());

const shelf = { id: "0001_shelf", sql: "create table shelf (id int)" };
const book = { id: "0002_book", sql: "create table book (id int)" };

/** What the program prints, what it complains of, and its exit code. */
async function run(command: string, migrations = [shelf, book], url = database.url) {
  const lines: string[] = [];
  const complaints: string[] = [];
  const code = await migrateCommand({
    name: "library",
    migrations,
    args: command.split(" "),
    env: { DATABASE_URL: url },
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
      undefined,
      /^library: migration 0001_shelf was changed after it was applied: put it back/,
    ],
    [
      "a migration that fails",
      "migrate up",
      [shelf, { id: "0003_bad", sql: "select 1 / 0" }],
      undefined,
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
    ["another command", "migrate down", [], undefined, /^library: there is no "migrate down"/],
  ] as const)("ends with 1 and one line for %s", async ([, command, migrations, url, line]) => {
    const { code, lines, complaints } = await run(command, [...migrations], url);
    expect({ code, lines }).toEqual({ code: 1, lines: [] });
    expect(complaints).toEqual([expect.stringMatching(line)]);
  });
});
