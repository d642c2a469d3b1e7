/**
 * The SMTP catcher: takes every mail over real SMTP (SMTP_PORT) and keeps it in DATA_DIR, raw, in the order of
 * arrival; repeats are kept too. Its own HTTP API is on HTTP_PORT:
 *
 * - `GET /messages?to=ADDRESS&messageId=ID`: `[{ number, messageId, from, to: [], subject, date }]`; both filters are
 *   optional; `messageId` is without angle brackets.
 * - `GET /messages/{number}`: the same object with `text` and `raw` (the message as it came over the wire).
 * - `DELETE /messages`: empties the mailbox. 204.
 * - `POST /faults {"reject": 3}`: the next three messages are answered 451 and not stored; 0 ends it. 204.
 */
import { SMTPServer } from "smtp-server";
import { type Answer, BadRequest, jsonObject, listen, type Question } from "../http.ts";
import { openMailbox } from "./mailbox.ts";

const MAX_MESSAGE = 10 * 1024 * 1024;

const mailbox = openMailbox(process.env.DATA_DIR ?? ".weft/mail");
let toReject = 0;

const smtp = new SMTPServer({
  disabledCommands: ["AUTH", "STARTTLS"],
  size: MAX_MESSAGE,
  logger: false,
  onData(stream, session, done) {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => {
      if (!stream.sizeExceeded) chunks.push(chunk);
    });
    stream.once("error", done);
    stream.once("end", () => {
      if (stream.sizeExceeded) return done(Object.assign(new Error("Message too large"), { responseCode: 552 }));
      if (toReject > 0) {
        toReject -= 1;
        return done(Object.assign(new Error("Try again later"), { responseCode: 451 }));
      }
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = { from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address) };
      mailbox.store(Buffer.concat(chunks), envelope).then(
        ({ number }) => done(null, `stored as ${number}`),
        (error: Error) => done(Object.assign(error, { responseCode: 451 })),
      );
    });
  },
});
smtp.on("error", (error: Error & { syscall?: string }) => {
  if (error.syscall !== "listen") return;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});

const http = await listen(Number(process.env.HTTP_PORT ?? 0), answer);
smtp.listen(Number(process.env.SMTP_PORT ?? 0), "127.0.0.1");

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    http.close();
    http.closeAllConnections();
    smtp.close(() => process.exit(0));
    setTimeout(() => process.exit(0), 2_000).unref();
  });
}

async function answer({ method, path, query, body }: Question): Promise<Answer> {
  if (path === "/messages" && method === "GET") {
    const filter = { to: query.get("to") ?? undefined, messageId: query.get("messageId") ?? undefined };
    return { status: 200, body: mailbox.list(filter) };
  }
  if (path === "/messages" && method === "DELETE") {
    mailbox.clear();
    return { status: 204 };
  }
  const number = /^\/messages\/(\d+)$/.exec(path)?.[1];
  if (number !== undefined && method === "GET") return oneMessage(Number(number));
  if (path === "/faults" && method === "POST") {
    const { reject } = jsonObject(body);
    if (!Number.isInteger(reject) || (reject as number) < 0)
      throw new BadRequest("reject must be a whole number from 0");
    toReject = reject as number;
    return { status: 204 };
  }
  return { status: 404, body: { error: `there is no ${method} ${path}` } };
}

async function oneMessage(number: number): Promise<Answer> {
  const raw = mailbox.raw(number);
  if (raw === undefined) return { status: 404, body: { error: `there is no message ${number}` } };
  const { simpleParser } = await import("mailparser");
  const { text = "" } = await simpleParser(raw);
  const summary = mailbox.list({}).find((message) => message.number === number);
  return { status: 200, body: { ...summary, text, raw: raw.toString("utf8") } };
}
