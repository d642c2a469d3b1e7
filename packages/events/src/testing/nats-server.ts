import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A nats-server of a test's own, which it may kill and start again on the same port and data. */
export interface TestNatsServer {
  readonly url: string;
  start(): Promise<void>;
  /** kill -9 */
  kill(): Promise<void>;
  /** Keeps a copy of what is stored; the server must not run. */
  backUp(): Promise<void>;
  /** Puts the copy back in place of what is stored; the server must not run. */
  rollBack(): Promise<void>;
  close(): Promise<void>;
}

export async function startNatsServer(): Promise<TestNatsServer> {
  const folder = await mkdtemp(join(tmpdir(), "weft-nats-"));
  const copy = `${folder}-copy`;
  const port = await freePort();
  let child: NatsProcess | undefined;
  const server: TestNatsServer = {
    url: `nats://127.0.0.1:${port}`,
    async start() {
      child = await startNatsProcess(["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder]);
    },
    async kill() {
      const running = child;
      child = undefined;
      if (!running || running.exitCode !== null) return;
      const exit = once(running, "exit");
      running.kill("SIGKILL");
      await exit;
    },
    async backUp() {
      await cp(folder, copy, { recursive: true });
    },
    async rollBack() {
      await rm(folder, { recursive: true });
      await cp(copy, folder, { recursive: true });
    },
    async close() {
      await server.kill();
      await rm(copy, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

export type NatsProcess = ChildProcess;

/** Resolves when it listens, which is after JetStream has recovered its files. */
export function startNatsProcess(args: readonly string[]): Promise<NatsProcess> {
  const child = spawn("nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    let log = "";
    child.once("error", (cause) =>
      reject(new Error("these tests need nats-server (2.9 or later) on the PATH", { cause })),
    );
    child.once("exit", (code) => reject(new Error(`nats-server ended with ${code}: ${log}`)));
    child.stderr?.on("data", (chunk) => {
      log += chunk;
      if (log.includes("Server is ready")) resolve(child);
    });
  });
}

/** Below the range that outgoing connections take their ports from: whoever is killed and started again finds its own still free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
