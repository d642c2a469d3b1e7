import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../../../packages/devstack/src/mail/main.ts", import.meta.url));

export interface CaughtMail {
  readonly messageId: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** As it came over the wire. */
  readonly raw: string;
}

export interface Mailbox {
  readonly smtpUrl: string;
  /** What was caught for an address, oldest first, repeats too. */
  messages(to: string): Promise<readonly CaughtMail[]>;
  /** Answers 451 to that many of the next messages. */
  reject(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** The SMTP catcher that `npm run dev` starts, as a process of the test's own. */
export async function startMailbox(): Promise<Mailbox> {
  const folder = await mkdtemp(join(tmpdir(), "mailbox-"));
  const [smtpPort, httpPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, ["--conditions=source", program], {
    env: { ...process.env, SMTP_PORT: `${smtpPort}`, HTTP_PORT: `${httpPort}`, DATA_DIR: folder },
    stdio: "inherit",
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${httpPort}`;
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${url}${path}`)).json()) as T;
  while (!(await get<unknown>("/messages").catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`the SMTP catcher ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    smtpUrl: `smtp://127.0.0.1:${smtpPort}`,
    async messages(to) {
      const list = await get<{ number: number }[]>(`/messages?to=${encodeURIComponent(to)}`);
      return Promise.all(list.map(({ number }) => get<CaughtMail>(`/messages/${number}`)));
    },
    async reject(count) {
      await fetch(`${url}/faults`, { method: "POST", body: JSON.stringify({ reject: count }) });
    },
    async stop() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
