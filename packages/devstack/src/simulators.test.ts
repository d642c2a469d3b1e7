import { rmSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stack, startStack } from "./stack.ts";
import { createWorkspace, programsOnly } from "./workspace.fixture.ts";

const { root, dataDir } = createWorkspace({ "package.json": "{}" });
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ root, dataDir, ports: "free", env: programsOnly });
});
afterAll(async () => {
  await stack.close();
  rmSync(root, { recursive: true, force: true });
});

const json = async (response: Response) => [response.status, await response.json()];
const post = (url: string, body: unknown, key?: string) =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: key === undefined ? {} : { "Idempotency-Key": key },
  });

/** Speaks SMTP by hand; returns the code of the answer to the message. */
async function sendMail(url: string, to: string, messageId: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  const message = `From: a@shop.test\r\nTo: ${to}\r\nMessage-ID: <${messageId}>\r\nSubject: Hello\r\n\r\nA text.\r\n.`;
  const script = ["EHLO test", "MAIL FROM:<a@shop.test>", `RCPT TO:<${to}>`, "DATA", message];
  let code = "";
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === "-") continue;
    code = line.slice(0, 3);
    const next = script.shift();
    if (next === undefined) break;
    socket.write(`${next}\r\n`);
  }
  socket.destroy();
  return code;
}

describe("the SMTP catcher", () => {
  it("keeps every message raw and in order, repeats too, and over a kill -9", async () => {
    const { SMTP_URL = "", MAILBOX_URL = "" } = stack.env;
    for (const id of ["one@shop", "two@shop", "one@shop"])
      expect(await sendMail(SMTP_URL, "ann@example.com", id)).toBe("250");
    await stack.infrastructure.mail.kill("SIGKILL");
    await stack.infrastructure.mail.start();
    const list = (await (await fetch(`${MAILBOX_URL}/messages?to=ann@example.com`)).json()) as {
      messageId: string;
      number: number;
    }[];
    expect(list.map(({ number, messageId }) => [number, messageId])).toEqual([
      [1, "one@shop"],
      [2, "two@shop"],
      [3, "one@shop"],
    ]);
    expect(await (await fetch(`${MAILBOX_URL}/messages?messageId=two@shop`)).json()).toHaveLength(1);
    expect(await (await fetch(`${MAILBOX_URL}/messages/2`)).json()).toMatchObject({
      subject: "Hello",
      text: "A text.\n",
      raw: expect.stringContaining("Message-ID: <two@shop>"),
    });
  });

  it("rejects as many messages as it is asked to, and can be emptied", async () => {
    const { SMTP_URL = "", MAILBOX_URL = "" } = stack.env;
    expect((await post(`${MAILBOX_URL}/faults`, { reject: 1 })).status).toBe(204);
    expect(await sendMail(SMTP_URL, "bob@example.com", "x@shop")).toBe("451");
    expect(await sendMail(SMTP_URL, "bob@example.com", "x@shop")).toBe("250");
    await fetch(`${MAILBOX_URL}/messages`, { method: "DELETE" });
    expect(await (await fetch(`${MAILBOX_URL}/messages`)).json()).toEqual([]);
  });
});

describe("the payment provider", () => {
  const order = { amount_minor: 1250, currency: "EUR", token: "tok_visa", order_id: "o1" };

  it("charges once a key: the same answer again, over a kill -9 too, and another body is refused", async () => {
    const url = stack.env.PAYMENT_PROVIDER_URL as string;
    const first = await json(await post(`${url}/charges`, order, "k1"));
    expect(first).toEqual([201, expect.objectContaining({ ...order, status: "succeeded" })]);
    await stack.infrastructure.payments.kill("SIGKILL");
    await stack.infrastructure.payments.start();
    expect(await json(await post(`${url}/charges`, order, "k1"))).toEqual(first);
    expect((await post(`${url}/charges`, { ...order, amount_minor: 1 }, "k1")).status).toBe(409);
    expect(await (await fetch(`${url}/charges?order_id=o1`)).json()).toHaveLength(1);
  });

  it("declines the card that is to be declined", async () => {
    const url = stack.env.PAYMENT_PROVIDER_URL as string;
    const answer = await json(await post(`${url}/charges`, { ...order, token: "tok_declined", order_id: "o2" }, "k2"));
    expect(answer).toEqual([402, expect.objectContaining({ code: "card_declined" })]);
  });

  it("refunds once a key and never more than was charged", async () => {
    const url = stack.env.PAYMENT_PROVIDER_URL as string;
    const [{ id }] = (await (await fetch(`${url}/charges?order_id=o1`)).json()) as [{ id: string }];
    const refund = await json(await post(`${url}/charges/${id}/refunds`, {}, "r1"));
    expect(refund).toEqual([201, expect.objectContaining({ charge_id: id, amount_minor: 1250 })]);
    expect(await json(await post(`${url}/charges/${id}/refunds`, {}, "r1"))).toEqual(refund);
    expect((await post(`${url}/charges/${id}/refunds`, {}, "r2")).status).toBe(409);
    expect(await (await fetch(`${url}/refunds`)).json()).toHaveLength(1);
  });

  it("refuses bad requests and a missing key, naming what is wrong", async () => {
    const url = stack.env.PAYMENT_PROVIDER_URL as string;
    expect(await json(await post(`${url}/charges`, order))).toEqual([
      400,
      expect.objectContaining({ code: "idempotency_key_missing" }),
    ]);
    expect(await json(await post(`${url}/charges`, { ...order, amount_minor: -1 }, "k"))).toEqual([
      400,
      expect.objectContaining({ code: "invalid_amount" }),
    ]);
    expect((await fetch(`${url}/charges`, { method: "POST", body: "no json" })).status).toBe(400);
  });

  it("fails, stalls and loses answers as it is asked to; a lost answer was carried out", async () => {
    const url = stack.env.PAYMENT_PROVIDER_URL as string;
    await post(`${url}/faults`, { fail: 1 });
    expect((await post(`${url}/charges`, { ...order, order_id: "o3" }, "k3")).status).toBe(503);
    await post(`${url}/faults`, { stall: 1 });
    const stalled = fetch(`${url}/charges`, {
      method: "POST",
      body: JSON.stringify(order),
      signal: AbortSignal.timeout(100),
    });
    await expect(stalled).rejects.toThrow(/timeout/);
    await post(`${url}/faults`, { lose: 1 });
    await expect(post(`${url}/charges`, { ...order, order_id: "o3" }, "k3")).rejects.toThrow(/fetch failed/);
    expect(await (await fetch(`${url}/charges?order_id=o3`)).json()).toHaveLength(1);
  });
});
