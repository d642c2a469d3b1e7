import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One message as it arrived. `number` counts from 1 in the order of arrival. */
export interface MailSummary {
  readonly number: number;
  readonly messageId: string;
  readonly from: string;
  /** The envelope's recipients. */
  readonly to: readonly string[];
  readonly subject: string;
  readonly date: string;
}

export interface Mailbox {
  /** Stores a message durably, whatever was stored before: nothing is ever deduplicated. */
  store(raw: Buffer, envelope: { from: string; to: readonly string[] }): Promise<MailSummary>;
  list(filter: { to?: string | undefined; messageId?: string | undefined }): readonly MailSummary[];
  raw(number: number): Buffer | undefined;
  clear(): void;
}

/** Messages are files `00000001.eml` with their summaries `00000001.json`; the summary is written last and makes it count. */
export function openMailbox(folder: string): Mailbox {
  mkdirSync(folder, { recursive: true });
  const messages: MailSummary[] = readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as MailSummary);
  let last = messages.at(-1)?.number ?? 0;
  const path = (number: number, extension: string) => join(folder, `${String(number).padStart(8, "0")}.${extension}`);
  return {
    async store(raw, envelope) {
      const number = ++last;
      const { simpleParser } = await import("mailparser");
      const parsed = await simpleParser(raw);
      const summary: MailSummary = {
        number,
        messageId: (parsed.messageId ?? "").replace(/^<|>$/g, ""),
        from: envelope.from,
        to: envelope.to,
        subject: parsed.subject ?? "",
        date: new Date().toISOString(),
      };
      writeFileSync(path(number, "eml"), raw);
      writeFileSync(path(number, "next"), JSON.stringify(summary));
      renameSync(path(number, "next"), path(number, "json"));
      const at = messages.findIndex((message) => message.number > number);
      messages.splice(at < 0 ? messages.length : at, 0, summary);
      return summary;
    },
    list: ({ to, messageId }) =>
      messages.filter(
        (message) =>
          (to === undefined || message.to.some((address) => address.toLowerCase() === to.toLowerCase())) &&
          (messageId === undefined || message.messageId === messageId.replace(/^<|>$/g, "")),
      ),
    raw: (number) =>
      messages.some((message) => message.number === number) ? readFileSync(path(number, "eml")) : undefined,
    clear() {
      // Numbers go on: one that was given is never given again while the process lives.
      for (const message of messages.splice(0)) {
        rmSync(path(message.number, "json"), { force: true });
        rmSync(path(message.number, "eml"), { force: true });
      }
    },
  };
}
