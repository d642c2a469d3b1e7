import { inSpan, SpanKind, setSpanAttributes } from "@weft/telemetry";
import { createTransport } from "nodemailer";
import type { Mailer, SendOutcome } from "../app/mailer.ts";

export interface SmtpMailerOptions {
  /** smtp:// or smtps://, with user and password where the server wants them. */
  readonly url: string;
  readonly from: string;
  /** The right side of every Message-ID. */
  readonly domain: string;
  /** Open connections at most; who sends more at a time waits. */
  readonly maxConnections: number;
  /** Longest silence of the server at any step, in milliseconds. */
  readonly timeoutMs: number;
}

export interface SmtpMailer extends Mailer {
  /** Ends the connections. Close it when nothing is being sent any more. */
  close(): void;
}

/** Sends over a few connections that stay open. */
export function createSmtpMailer({ url, from, domain, maxConnections, timeoutMs }: SmtpMailerOptions): SmtpMailer {
  const target = new URL(url);
  const secure = target.protocol === "smtps:";
  const transport = createTransport({
    pool: true,
    host: target.hostname.replace(/^\[|\]$/g, ""),
    port: Number(target.port || (secure ? 465 : 587)),
    secure,
    ...(target.username !== "" && {
      auth: { user: decodeURIComponent(target.username), pass: decodeURIComponent(target.password) },
    }),
    maxConnections,
    // A connection that breaks is an answer here: who repeats a mail is the database.
    maxRequeues: 0,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // A mail is text that was written here: nothing in it names a file or an address to be fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const attributes = { "server.address": target.hostname, "server.port": Number(target.port) };

  return {
    send: ({ id, recipient, subject, text, html }) =>
      inSpan("SMTP send", { kind: SpanKind.CLIENT, attributes }, async (): Promise<SendOutcome> => {
        try {
          const to = { name: "", address: recipient };
          await transport.sendMail({ from, to, subject, text, html, messageId: `<${id}@${domain}>` });
          return { kind: "sent" };
        } catch (error) {
          const outcome = outcomeOf(error);
          setSpanAttributes({ "error.type": outcome.kind });
          return outcome;
        }
      }),
    close: () => transport.close(),
  };
}

/** What nodemailer says of a failure. */
interface SmtpError {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
  readonly response?: unknown;
}

/** Steps at which a 5xx is about this mail; at the others (greeting, EHLO, AUTH) it is about this client. */
const mailSteps: ReadonlySet<unknown> = new Set(["MAIL FROM", "RCPT TO", "DATA"]);

function outcomeOf(error: unknown): SendOutcome {
  const { code, command, responseCode, response } = (error ?? {}) as SmtpError;
  const words = typeof response === "string" && response !== "" ? response : String(code ?? "no answer");
  // 421 aside, the first digit decides (RFC 5321, 4.2.1).
  if (typeof responseCode === "number" && responseCode >= 500 && mailSteps.has(command)) {
    return { kind: "rejected", reason: words };
  }
  // An address that can't be written into an envelope.
  if (code === "EENVELOPE" && command === "API") return { kind: "rejected", reason: "the address is not a valid one" };
  return { kind: "deferred", problem: words };
}
