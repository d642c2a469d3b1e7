import { createHash } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { choosePort } from "../process/ports.ts";
import type { Run } from "../process/programs.ts";
import type { Ground, Part } from "./part.ts";
import type { ServerKind } from "./servers.ts";

const COMPOSE_FILE = "docker-compose.yml";

/** True when the Compose file is there and an engine answers; the program alone is not enough. */
export async function composeAvailable(root: string, run: Run): Promise<boolean> {
  if (!existsSync(join(root, COMPOSE_FILE))) return false;
  const [engine, compose] = await Promise.all([
    run("docker", ["info"], { timeoutMs: 5_000 }),
    run("docker", ["compose", "version"], { timeoutMs: 5_000 }),
  ]);
  return engine.code === 0 && compose.code === 0;
}

/** Starts one service of the root's Compose file, published on a private port of this machine. */
export async function startContainer(kind: ServerKind, ground: Ground): Promise<Part> {
  const port = await choosePort(ground.ports === "dev" ? kind.preferredPort : undefined);
  const override = join(ground.dataDir, `compose.${kind.name}.yml`);
  writeFileSync(
    override,
    `services:\n  ${kind.name}:\n    ports: !override\n      - "127.0.0.1:${port}:${kind.containerPort}"\n`,
  );
  const project = composeProject(ground.dataDir);
  const compose = async (...args: string[]) => {
    const files = ["-p", project, "-f", join(ground.root, COMPOSE_FILE), "-f", override];
    const result = await ground.run("docker", ["compose", ...files, ...args], { env: ground.env, timeoutMs: 300_000 });
    if (result.code !== 0) throw new Error(`docker compose ${args.join(" ")} failed:\n${result.stderr.trim()}`);
  };
  const serving = () => kind.waitUntilServing(port, AbortSignal.timeout(60_000));
  let ready = Promise.resolve();
  const start = () => {
    ready = compose("up", "--detach", "--no-deps", kind.name).then(serving);
    return ready;
  };
  await start();
  return {
    name: kind.name,
    source: "compose",
    url: kind.url(port),
    pid: undefined,
    get ready() {
      return ready;
    },
    start,
    stop: () =>
      ground.ephemeral ? compose("rm", "--stop", "--force", "--volumes", kind.name) : compose("stop", kind.name),
    kill: (signal = "SIGKILL") => compose("kill", "--signal", signal, kind.name),
  };
}

/** Removes the containers and volumes of a data folder. */
export async function removeContainers(root: string, dataDir: string, run: Run): Promise<void> {
  if (!(await composeAvailable(root, run))) return;
  await run("docker", ["compose", "-p", composeProject(dataDir), "-f", join(root, COMPOSE_FILE), "down", "--volumes"], {
    timeoutMs: 120_000,
  });
}

/** One project a data folder, so that two clones don't share containers. */
function composeProject(dataDir: string): string {
  return `weft-${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}`;
}
