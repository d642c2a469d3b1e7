import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Ledger, openLedger } from "../process/ledger.ts";
import type { StackRecord } from "../stack.ts";
import { createWorkspace, programsOnly } from "../workspace.fixture.ts";

/** A service's program that says what it was asked, and fails where its database is "broken". */
const program = `
console.log(process.argv.slice(2).join(" "), process.env.DATABASE_URL);
process.exitCode = process.env.DATABASE_URL.endsWith("broken") ? 1 : 0;
`;
const { root, dataDir } = createWorkspace({
  "package.json": JSON.stringify({ type: "module" }),
  "services/order/src/main.ts": program,
  "services/user/src/main.ts": program,
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** This process plays the running stack. */
let stack: Ledger;
beforeEach(async () => {
  stack = await openLedger(dataDir, () => {});
  record({ order: "postgres://order", user: "postgres://user", gateway: undefined });
});
afterEach(() => stack.release());

function record(databases: Readonly<Record<string, string | undefined>>, pid = process.pid): void {
  const services = Object.fromEntries(
    Object.entries(databases).map(([name, databaseUrl]) => [
      name,
      { pid: 1, state: "crashed" as const, addresses: {}, databaseUrl },
    ]),
  );
  const written: StackRecord = { pid, env: {}, infrastructure: {}, services };
  writeFileSync(join(dataDir, "dev.json"), JSON.stringify(written));
}

async function migrate(...args: readonly string[]) {
  const cli = join(import.meta.dirname, "..", "cli.ts");
  const env = { ...programsOnly, WEFT_ROOT: root, DATABASE_URL: "postgres://administrator" };
  const child = spawn(process.execPath, ["--conditions=source", cli, "migrate", ...args], { env });
  let [output, said] = ["", ""];
  child.stdout.on("data", (data) => {
    output += data;
  });
  child.stderr.on("data", (data) => {
    said += data;
  });
  const [code] = await once(child, "close");
  return { code, output: output.trim().split("\n"), said };
}

describe("weft migrate", () => {
  it("asks each service that has a database, with the running stack's address of it", async () => {
    const { code, output } = await migrate("status");
    expect(output).toEqual(["migrate status postgres://order", "migrate status postgres://user"]);
    expect(code).toBe(0);
  });

  it("asks only those that are named", async () => {
    expect((await migrate("up", "--only=user")).output).toEqual(["migrate up postgres://user"]);
    const { code, said } = await migrate("up", "--only=user,gateway");
    expect(said).toContain('No service "gateway" has a database here. order, user have.');
    expect(code).toBe(1);
  });

  it("goes on to the next service when one fails, and ends with 1", async () => {
    record({ order: "postgres://broken", user: "postgres://user" });
    const { code, output } = await migrate("up");
    expect(output).toEqual(["migrate up postgres://broken", "migrate up postgres://user"]);
    expect(code).toBe(1);
  });

  it("says what to do when no stack runs, or when it isn't that far", async () => {
    record({ order: "postgres://former" }, 1);
    expect((await migrate("status")).said).toContain("still starting");
    stack.release();
    const { code, said } = await migrate("status");
    expect(said).toContain("No dev stack runs, so there is no database to migrate: start one with `npm run dev`.");
    expect(code).toBe(1);
  });

  it("knows no other action", async () => {
    const { code, said } = await migrate("down");
    expect(said).toContain("migrate status, or migrate up");
    expect(code).toBe(1);
  });
});
