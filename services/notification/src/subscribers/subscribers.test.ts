import { randomUUID } from "node:crypto";
import { NotificationKind as Kind, NotificationStatus as Status } from "@shop/contracts/notification";
import { OrderCreatedSchema, OrderStatus, OrderStatusChangedSchema } from "@shop/contracts/order";
import { PaymentCompletedSchema } from "@shop/contracts/payment";
import { UserCreatedSchema, UserDeletedSchema, UserUpdatedSchema } from "@shop/contracts/user";
import { Unprocessable } from "@weft/events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mailbox, startMailbox } from "../testing/mailbox.ts";
import { openNotificationService, type RunningNotification } from "../testing/running-notification.ts";

let mailbox: Mailbox;
let service: RunningNotification;
let userId: string;
let orderId: string;
let email: string;

beforeAll(async () => {
  mailbox = await startMailbox();
  service = await openNotificationService({ smtpUrl: mailbox.smtpUrl });
});
afterAll(async () => {
  await service?.close();
  await mailbox?.stop();
});
beforeEach(async () => {
  await service.empty();
  userId = randomUUID();
  orderId = randomUUID();
  email = `ada.${userId.slice(0, 8)}@example.com`;
});

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const userCreated = () => service.consume(UserCreatedSchema, { userId, email, name: "Ada" });
const orderCreated = () =>
  service.consume(OrderCreatedSchema, {
    orderId,
    userId,
    items: [{ productId: "coffee-beans", quantity: 2, unitPrice: usd(1250n) }],
    total: usd(2500n),
    paymentToken: "tok_secret",
  });
const orderChanged = (status: OrderStatus, reason = "") =>
  service.consume(OrderStatusChangedSchema, { orderId, userId, status, reason });
const listed = async () => (await service.client.listNotifications({ userId })).notifications;

describe("each event that owes a mail", () => {
  it("gets one to the user's address, with the event's id as its Message-ID", async () => {
    const ids = [
      await userCreated(),
      await orderCreated(),
      await service.consume(PaymentCompletedSchema, {
        orderId,
        userId,
        amount: usd(2500n),
        providerReference: "ch_1",
      }),
      await orderChanged(OrderStatus.CONFIRMED),
      await orderChanged(OrderStatus.SHIPPED),
      await orderChanged(OrderStatus.DELIVERED),
    ];
    expect(await service.turn()).toBe(6);
    expect(await service.turn()).toBe(0);
    const mails = await mailbox.messages(email);
    expect(mails.map(({ messageId }) => messageId).sort()).toEqual(ids.map((id) => `${id}@weft.shop`).sort());
    expect(mails.every(({ from }) => from === "shop@weft.shop")).toBe(true);
  });

  it("leaves a record that says what it was about", async () => {
    const id = await userCreated();
    await orderCreated();
    await service.turn();
    expect(await listed()).toMatchObject([
      { kind: Kind.ORDER_RECEIVED, orderId, status: Status.SENT, recipient: email },
      { id, userId, kind: Kind.WELCOME, orderId: "", status: Status.SENT, subject: "Welcome to Weft" },
    ]);
  });

  it("gets it once though it comes twice", async () => {
    const id = await userCreated();
    await service.consume(UserCreatedSchema, { userId, email, name: "Ada" }, id);
    await service.turn();
    expect(await mailbox.messages(email)).toHaveLength(1);
  });

  it("says order number, items and amounts as people write them, and no payment token", async () => {
    await userCreated();
    await orderCreated();
    await service.turn();
    const mail = (await mailbox.messages(email)).find(({ subject }) => subject.includes("received"));
    expect(mail?.subject).toContain(orderId);
    expect(mail?.text).toContain(orderId);
    expect(mail?.text).toContain("2 × coffee-beans at $12.50: $25.00");
    expect(mail?.text).toContain("Total: $25.00");
    expect(mail?.raw).not.toContain("tok_secret");
  });

  it("is not every event: a status that is no news owes none", async () => {
    await orderChanged(OrderStatus.PENDING);
    expect(await listed()).toEqual([]);
  });
});

describe("an event without the amount that its contract has", () => {
  it("is no mail that is tried again and again, but a dead letter", async () => {
    await expect(service.consume(OrderCreatedSchema, { orderId, userId })).rejects.toThrow(Unprocessable);
    await expect(service.consume(PaymentCompletedSchema, { orderId, userId })).rejects.toThrow(Unprocessable);
  });
});

describe("an address that is not known yet", () => {
  it("holds its mails back, blocks no event, and lets them go once it is", async () => {
    await orderCreated();
    await orderChanged(OrderStatus.CANCELLED, "too late");
    expect(await service.turn()).toBe(0);
    expect(await listed()).toMatchObject([
      { status: Status.QUEUED, recipient: "" },
      { status: Status.QUEUED, recipient: "" },
    ]);
    await userCreated();
    expect(await service.turn()).toBe(3);
    expect(await mailbox.messages(email)).toHaveLength(3);
  });

  it("is found by the sender when it was written in a transaction that ran beside", async () => {
    const address = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const beside = service.store.transaction(async () => {
      await service.addresses.put(userId, email);
      await service.notifications.resolve(userId);
      written.resolve();
      await address.promise;
    });
    await written.promise;
    await orderCreated();
    address.resolve();
    await beside;
    expect(await service.turn()).toBe(1);
    expect(await mailbox.messages(email)).toHaveLength(1);
  });
});

describe("an address that changes", () => {
  it("is told of it, at the new one; later mails go there", async () => {
    await userCreated();
    const next = `new.${email}`;
    const id = await service.consume(UserUpdatedSchema, { userId, email: next, name: "Ada" });
    await orderCreated();
    await service.turn();
    const mails = await mailbox.messages(next);
    expect(mails).toHaveLength(2);
    const changed = mails.find(({ messageId }) => messageId === `${id}@weft.shop`);
    expect(changed).toMatchObject({ subject: "Your e-mail address was changed" });
    expect(changed?.text).toContain(next);
    expect(await mailbox.messages(email)).toHaveLength(1);
  });

  it("owes no mail when only the name changed", async () => {
    await userCreated();
    await service.consume(UserUpdatedSchema, { userId, email, name: "Ada Lovelace" });
    expect(await listed()).toHaveLength(1);
  });
});

describe("a deleted account", () => {
  it("is forgotten, though mails that were queued still go", async () => {
    await orderCreated();
    await userCreated();
    await service.consume(UserDeletedSchema, { userId });
    expect(await service.addresses.find(userId)).toEqual({ kind: "forgotten" });
    expect(await service.turn()).toBe(2);
    expect(await mailbox.messages(email)).toHaveLength(2);
  });

  it("gets no mail for what happens later", async () => {
    await userCreated();
    await service.consume(UserDeletedSchema, { userId });
    await orderChanged(OrderStatus.CANCELLED);
    await service.turn();
    expect(await listed()).toMatchObject([{ status: Status.REJECTED, recipient: "" }, { status: Status.SENT }]);
  });
});
