import { fileURLToPath } from "node:url";
import { startProgram } from "@weft/testkit";

const entry = fileURLToPath(new URL("../../../../packages/devstack/src/mail/main.ts", import.meta.url));

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
  /** All that was caught, oldest first, repeats too. */
  messageIds(): Promise<readonly string[]>;
  empty(): Promise<void>;
  /** Answers 451 to that many of the next messages. */
  reject(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** The SMTP catcher that `npm run dev` starts, as a process of the test's own. */
export async function startMailbox(): Promise<Mailbox> {
  const { url, ports, get, stop } = await startProgram({ entry, readyPath: "/messages", ports: ["SMTP_PORT"] });
  return {
    smtpUrl: `smtp://127.0.0.1:${ports.SMTP_PORT}`,
    async messages(to) {
      const list = await get<{ number: number }[]>(`/messages?to=${encodeURIComponent(to)}`);
      return Promise.all(list.map(({ number }) => get<CaughtMail>(`/messages/${number}`)));
    },
    async messageIds() {
      const list = await get<{ messageId: string }[]>("/messages");
      return list.map(({ messageId }) => messageId);
    },
    async empty() {
      await fetch(`${url}/messages`, { method: "DELETE" });
    },
    async reject(count) {
      await fetch(`${url}/faults`, { method: "POST", body: JSON.stringify({ reject: count }) });
    },
    stop,
  };
}
