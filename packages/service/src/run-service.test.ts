import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEmptyDatabase, type EmptyDatabase } from "./testing/database.ts";

let database: EmptyDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase();
});
afterEach(() => database.drop());

const program = ["--conditions=source", join(import.meta.dirname, "testing/library.ts")];
/** What is there for a service to talk to. */
const { NATS_URL, REDIS_URL } = process.env;

/** Runs the service as a process until it ends, which it is told to as soon as it is ready. */
async function run(env: Record<string, string | undefined>, ...args: readonly string[]) {
  const child = spawn(process.execPath, [...program, ...args], { env: { DATABASE_URL: database.url, ...env } });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
    // A second signal would end it at once.
    if (output.includes('"msg":"ready"') && !child.killed) child.kill();
  });
  child.stderr.on("data", (data) => {
    output += data;
  });
  const [code] = await once(child, "close");
  return { code, output };
}

describe("a service that starts", () => {
  it("migrates its database first", async () => {
    const { code, output } = await run({ NATS_URL, REDIS_URL });
    expect(output).toMatch(/"migration":"0001_shelf".*"msg":"migrated".*"msg":"ready"/s);
    expect(code).toBe(0);
  });

  it("refuses to, where WEFT_MIGRATE=check says so, and names what is pending, until its own program has migrated", async () => {
    const checking = { NATS_URL, REDIS_URL, WEFT_MIGRATE: "check" };
    const refused = await run(checking);
    expect(refused.output).toMatch(/"msg":"the database is behind, migrate it first. Pending: .*0001_shelf"/);
    expect(refused.output).not.toContain('"msg":"ready"');
    expect(refused.code).toBe(1);
    expect(await run({}, "migrate", "up")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/0001_shelf applied/),
    });
    expect(await run(checking)).toMatchObject({ code: 0, output: expect.stringMatching(/"msg":"ready"/) });
  });
});

describe("a service's program that migrates", () => {
  it("needs its database alone, and ends", async () => {
    expect(await run({}, "migrate", "status")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^0001_shelf +pending$/m),
    });
    expect(await run({}, "migrate", "up")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^0001_shelf applied$/m),
    });
    expect(await run({}, "migrate", "status")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^0001_shelf +applied \S+Z$/m),
    });
  });

  it("says on one line what is wrong", async () => {
    expect(await run({}, "migrate")).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^library: there is no "migrate": [^\n]+\n$/),
    });
  });
});
