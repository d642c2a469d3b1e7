import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Run } from "../process/programs.ts";
import { createWorkspace } from "../workspace.fixture.ts";
import type { Apt } from "./apt.ts";
import { findWay, startServer } from "./find-server.ts";
import type { Ground } from "./part.ts";
import { nats, redis } from "./servers.ts";

const { root, dataDir } = createWorkspace({
  "docker-compose.yml": "services: {}",
  "bin/docker": "",
  "bin/apt-get": "",
});
chmodSync(join(root, "bin/docker"), 0o755);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const noEngine: Run = async () => ({ code: 1, stdout: "", stderr: "no engine" });
const engine: Run = async () => ({ code: 0, stdout: "", stderr: "" });
const noPackages: Apt = { available: () => false, install: async () => {} };
const missing = { ...nats, program: "no-such-nats-server" };

function ground(env: NodeJS.ProcessEnv, run: Run = noEngine): Ground & { said: string[] } {
  const said: string[] = [];
  const ledger = { add() {}, remove() {}, stopping() {}, release() {} };
  return { root, dataDir, env, ports: "free", ledger, run, ephemeral: true, said, say: (text) => said.push(text) };
}

describe("a server", () => {
  it("is the one that the environment names, before anything else", async () => {
    const env = { PATH: process.env.PATH, NATS_URL: "nats://10.0.0.1:4222" };
    expect(await findWay(nats, ground(env))).toEqual({ kind: "environment", url: "nats://10.0.0.1:4222" });
  });

  it("that the environment names but that doesn't answer is an error which names the variable", async () => {
    await expect(startServer(redis, ground({ REDIS_URL: "redis://:secret@127.0.0.1:1" }))).rejects.toThrow(
      "REDIS_URL names redis://…@127.0.0.1:1, but nothing answers there. Start it, or unset REDIS_URL.",
    );
  });

  it("is a program of the PATH, then a container where an engine answers, then a package", async () => {
    writeFileSync(join(root, "bin/redis-server"), "", { mode: 0o755 });
    const env = { PATH: join(root, "bin") };
    expect(await findWay(redis, ground(env))).toEqual({ kind: "path", program: join(root, "bin/redis-server") });
    expect(await findWay(missing, ground(env, engine))).toEqual({ kind: "compose" });
    expect(await findWay(missing, ground(env), { ...noPackages, available: () => true })).toEqual({ kind: "apt" });
  });

  it("that nothing offers is one error with the three ways to get it", async () => {
    await expect(findWay(nats, ground({ PATH: "" }), noPackages)).rejects.toThrow(
      /NATS is not here. Three ways.*1\. install the program nats-server.*2\. start Docker.*3\. set NATS_URL/s,
    );
  });

  it("is installed as a package only after that was said", async () => {
    const here = ground({ PATH: join(root, "bin") });
    const packages: Apt = {
      available: () => true,
      async install(names) {
        expect(here.said.at(-1)).toBe("NATS: not found; installing the package nats-server with apt-get");
        expect(names).toEqual(["nats-server"]);
        throw new Error("the network is down");
      },
    };
    await expect(startServer(missing, here, packages)).rejects.toThrow("the network is down");
  });

  it("in a container is published on a private port and stopped with its data when that is ephemeral", async () => {
    const calls: string[][] = [];
    const record: Run = async (_command, args) => {
      calls.push(args.slice(args[0] === "compose" ? 7 : 0));
      return { code: 0, stdout: "", stderr: "" };
    };
    writeFileSync(join(root, "created"), "");
    const quick = { ...missing, waitUntilServing: async () => {} };
    const { mkdirSync } = await import("node:fs");
    mkdirSync(dataDir, { recursive: true });
    const part = await startServer(quick, ground({ PATH: join(root, "bin") }, record));
    expect(part).toMatchObject({
      source: "compose",
      url: expect.stringMatching(/^nats:\/\/127\.0\.0\.1:(?!4222$)\d{4,5}$/),
    });
    await part.kill("SIGKILL");
    await part.stop();
    expect(calls.slice(-3)).toEqual([
      ["up", "--detach", "--no-deps", "nats"],
      ["kill", "--signal", "SIGKILL", "nats"],
      ["rm", "--stop", "--force", "--volumes", "nats"],
    ]);
  });
});
