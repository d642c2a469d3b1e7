import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** A redis-server of the benchmark's own, and what it says of itself. */
export interface BenchRedis {
  readonly url: string;
  /** One command, such as "INFO cpu"; resolves with its answer as text. */
  ask(command: string): Promise<string>;
  close(): Promise<void>;
}

/** Nothing is on disk: a registry needs nothing to be persisted. */
export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxclients", "2000"];
  const server = spawn("redis-server", args, { stdio: "ignore" });
  const failed = once(server, "error").then(([error]) => Promise.reject(error as Error));
  failed.catch(() => {});
  const ask = (command: string) => askOnce(port, command);
  for (;;) {
    const answer = await Promise.race([failed, ask("PING").catch(() => "")]);
    if (answer === "PONG") break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    ask,
    async close() {
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      await ended;
    },
  };
}

/** RESP2 is enough for simple, integer and bulk answers (redis.io, "Redis serialization protocol specification"). */
function askOnce(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let text = "";
    const end = (answer: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding("utf8");
    socket.once("connect", () => socket.write(`${command}\r\n`));
    socket.once("error", reject);
    socket.on("data", (chunk: string) => {
      text += chunk;
      const line = text.indexOf("\r\n");
      if (line < 0) return;
      if (!text.startsWith("$")) return end(text.slice(1, line));
      const bytes = Number(text.slice(1, line));
      const rest = Buffer.from(text.slice(line + 2));
      if (rest.length >= bytes) end(rest.subarray(0, Math.max(0, bytes)).toString());
    });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
