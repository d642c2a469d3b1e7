import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isRunning, type ProcessIdentity } from "./process/identity.ts";
import { startStack } from "./stack.ts";
import { createWorkspace, programsOnly, shop } from "./workspace.fixture.ts";

const { root, dataDir } = createWorkspace(shop);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const cli = join(import.meta.dirname, "cli.ts");

/** `weft dev` in a process of its own; resolves when it has printed its table. */
async function startDev() {
  const env = { ...programsOnly, WEFT_ROOT: root, HTTP_PORT: "0" };
  const dev = spawn(process.execPath, ["--conditions=source", cli, "dev"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => dev.once("exit", resolve));
  let output = "";
  await new Promise<void>((resolve, reject) => {
    dev.stdout.on("data", (data) => {
      output += data;
      if (output.includes("Ctrl-C stops everything")) resolve();
    });
    void exited.then(() => reject(new Error(`dev ended:\n${output}`)));
  });
  return { dev, exited, output: () => output };
}

function children(): readonly (ProcessIdentity & { name: string })[] {
  return JSON.parse(readFileSync(join(dataDir, "stack.json"), "utf8")).children;
}

describe("weft dev", () => {
  it("prints one table, and on SIGINT leaves nothing behind and ends well", async () => {
    const { dev, exited, output } = await startDev();
    expect(output()).toMatch(/service +address +what to try\n +order +127\.0\.0\.1:\d+ /);
    const started = children();
    expect(started.map(({ name }) => name).sort()).toEqual([
      "mail",
      "nats",
      "order",
      "payments",
      "postgres",
      "redis",
      "user",
    ]);
    dev.kill("SIGINT");
    expect(await exited).toBe(0);
    expect(started.filter(isRunning)).toEqual([]);
  });

  it("after a kill -9 leaves orphans that end by themselves or with the next start", async () => {
    const { dev, exited } = await startDev();
    const orphans = children();
    dev.kill("SIGKILL");
    await exited;
    const stack = await startStack({ root, dataDir, ports: "free", env: programsOnly });
    expect(orphans.filter(isRunning)).toEqual([]);
    expect(stack.services.map(({ state }) => state)).toEqual(["ready", "ready"]);
    await stack.close();
  });
});
