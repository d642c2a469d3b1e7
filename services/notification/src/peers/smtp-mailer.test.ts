import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createSmtpMailer } from "./smtp-mailer.ts";

const mail = {
  id: "e0000000-0000-4000-8000-000000000001",
  recipient: "ada@example.com",
  subject: "Hello",
  text: "Hello\n",
  html: "<p>Hello</p>",
};

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A mail server that answers each command with what the script says of it; what it heard. */
async function scripted(script: Readonly<Record<string, string>>) {
  const heard: string[] = [];
  const answers = { greeting: "220 ready", EHLO: "250 hello", MAIL: "250 ok", RCPT: "250 ok", ...script };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const say = (answer: string) => (answer === "cut" ? socket.destroy() : socket.write(`${answer}\r\n`));
    say(answers.greeting);
    let body = false;
    let rest = "";
    socket.on("data", (chunk) => {
      const lines = (rest + chunk).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        heard.push(line);
        if (body && line !== ".") continue;
        if (body) say(("stored" in script && script.stored) || "250 stored");
        else {
          const command = line.split(" ")[0] ?? "";
          const fallback: string = command === "DATA" ? "354 go on" : "250 ok";
          const answer = (answers as Record<string, string>)[command] ?? fallback;
          say(answer);
          if (command === "DATA" && answer.startsWith("354")) {
            body = true;
            continue;
          }
        }
        body = false;
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mailer = createSmtpMailer({
    url,
    from: "Weft <shop@weft.shop>",
    domain: "weft.shop",
    maxConnections: 2,
    timeoutMs: 200,
  });
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  closing.push(() => mailer.close(), stop);
  return { mailer, heard, stop };
}

describe("the SMTP mailer", () => {
  it("names each mail by its id and the shop's domain", async () => {
    const { mailer, heard } = await scripted({});
    expect(await mailer.send(mail)).toEqual({ kind: "sent" });
    expect(heard).toContain(`Message-ID: <${mail.id}@weft.shop>`);
    expect(heard).toContain("To: ada@example.com");
  });

  it("keeps its connection for the next mail", async () => {
    const { mailer, heard } = await scripted({});
    await mailer.send(mail);
    await mailer.send(mail);
    expect(heard.filter((line) => line.startsWith("EHLO"))).toHaveLength(1);
    expect(heard.filter((line) => line.startsWith("MAIL FROM"))).toHaveLength(2);
  });

  it.each([
    ["RCPT", "550 no such user"],
    ["MAIL", "553 not you"],
    ["DATA", "554 no"],
    ["stored", "552 too large"],
  ])("takes a 5xx at %s for a refusal, with the server's words: %s", async (step, answer) => {
    const { mailer } = await scripted({ [step]: answer });
    expect(await mailer.send(mail)).toEqual({ kind: "rejected", reason: answer });
  });

  it.each([
    ["RCPT", "450 try later"],
    ["MAIL", "451 busy"],
    ["stored", "452 disk full"],
    ["greeting", "554 no service for you"],
    ["EHLO", "421 closing"],
    ["stored", "cut"],
    ["MAIL", "cut"],
    ["greeting", "cut"],
  ])("tries again after %s %s", async (step, answer) => {
    const { mailer } = await scripted({ [step]: answer });
    expect(await mailer.send(mail)).toMatchObject({ kind: "deferred" });
  });

  it("tries again when there is no server, and when it is silent", async () => {
    const { mailer, stop } = await scripted({});
    stop();
    expect(await mailer.send(mail)).toMatchObject({ kind: "deferred" });
    const silent = await scripted({ RCPT: "" });
    expect(await silent.mailer.send(mail)).toMatchObject({ kind: "deferred" });
  });

  it("lets nothing in a subject or an address become another header or recipient", async () => {
    const { mailer, heard } = await scripted({});
    await mailer.send({ ...mail, subject: "Hello\r\nBcc: eve@example.com" });
    await mailer.send({ ...mail, recipient: "ada@example.com>\r\nRCPT TO:<eve@example.com" });
    await mailer.send({ ...mail, recipient: "ada@example.com, eve@example.com" });
    expect(heard.filter((line) => /^(Bcc:|RCPT TO:<eve)/.test(line))).toEqual([]);
  });
});
