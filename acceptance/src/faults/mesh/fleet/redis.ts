import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { endingWithParent } from "./ending-with-parent.ts";

/** A redis-server of the row's own, which keeps nothing on disk and its port over every kill. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** What it answers to a command without spaces in its words; errors are answers that begin with "-". */
  command(...words: readonly string[]): Promise<string>;
}

/** Not started yet. */
export async function createRedis(dir: string, settings: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let server: ChildProcess | undefined;
  const command = (...words: readonly string[]): Promise<string> => redisCommand(port, words);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"];
      const started = launch([...args, ...settings]);
      server = started;
      let missing: Error | undefined;
      started.once("error", (error) => {
        missing = error;
      });
      for (let tries = 0; ; tries++) {
        if (missing) throw new Error(`redis-server can't be started: ${missing.message}`);
        if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`);
        if (
          await command("PING").then(
            (answer) => answer.startsWith("+PONG"),
            () => false,
          )
        )
          return;
        if (tries > 500) throw new Error("redis-server did not answer within 10 s");
        await sleep(20);
      }
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, "exit");
      server.kill("SIGKILL");
      await exited;
    },
    command,
  };
}

export function launch(args: readonly string[]): ChildProcess {
  const [command = "", ...rest] = endingWithParent(["redis-server", ...args]);
  return spawn(command, rest, { stdio: "ignore" });
}

/** Below the range that outgoing connections take their ports from: who is killed and started again finds its own still free. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Sends one inline command on a connection of its own; resolves with the answer, a string of bytes, as the protocol has it. */
export function redisCommand(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let answer = "";
    socket.setEncoding("latin1");
    socket.setTimeout(5_000, () => socket.destroy(new Error(`Redis did not answer ${words[0]}`)));
    socket.once("connect", () => socket.write(`${words.join(" ")}\r\n`));
    socket.on("data", (text: string) => {
      answer += text;
      if (isWhole(answer)) socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
  });
}

/** Of an answer that is a line or a bulk string: those of the commands that rows send. */
function isWhole(answer: string): boolean {
  const line = answer.indexOf("\r\n");
  if (line < 0) return false;
  return !answer.startsWith("$") || answer.length >= line + 2 + Number(answer.slice(1, line)) + 2;
}
