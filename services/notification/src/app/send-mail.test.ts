import { randomUUID } from "node:crypto";
import { NotificationStatus as Status } from "@shop/contracts/notification";
import { UserCreatedSchema } from "@shop/contracts/user";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Mailbox, startMailbox } from "../testing/mailbox.ts";
import {
  leaseMs,
  openNotificationService,
  pauseMs,
  type RunningNotification,
} from "../testing/running-notification.ts";

let mailbox: Mailbox;
let service: RunningNotification;
let userId: string;
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
  email = `${userId.slice(0, 8)}@example.com`;
});
afterEach(async () => {
  service.after.send = undefined;
  await mailbox.reject(0);
});

const userCreated = (to = email) => service.consume(UserCreatedSchema, { userId, email: to, name: "Ada" });
const status = async () => (await service.client.listNotifications({ userId })).notifications[0]?.status;

describe("a mail", () => {
  it("that the server can't take now is tried again after a pause, for as long as it takes", async () => {
    await userCreated();
    await mailbox.reject(2);
    await service.turn();
    expect(await status()).toBe(Status.QUEUED);
    expect(await service.turn(), "not before the pause is over").toBe(0);
    service.pass(pauseMs);
    await service.turn();
    service.pass(pauseMs);
    await service.turn();
    expect(await status()).toBe(Status.SENT);
    expect(await mailbox.messages(email)).toHaveLength(1);
  });

  it("that was sent by a process that crashed is repeated with the same Message-ID", async () => {
    const id = await userCreated();
    service.after.send = () => Promise.reject(new Error("crash"));
    await expect(service.turn()).rejects.toThrow("crash");
    service.after.send = undefined;
    expect(await service.turn(), "nobody else sends it before the lease is over").toBe(0);
    service.pass(leaseMs);
    await service.turn();
    const mails = await mailbox.messages(email);
    expect(mails.map(({ messageId }) => messageId)).toEqual([`${id}@weft.shop`, `${id}@weft.shop`]);
    expect(await status()).toBe(Status.SENT);
  });

  it("that can't be addressed is rejected with a reason, and never tried again", async () => {
    const id = await userCreated("no address at all");
    await service.turn();
    expect(await status()).toBe(Status.REJECTED);
    const { reason } = await service.store.db
      .selectFrom("notifications")
      .select("reason")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(reason).not.toBe("");
    service.pass(leaseMs);
    expect(await service.turn()).toBe(0);
  });

  it("is sent by one of the workers that look at the same time", async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        service.consume(UserCreatedSchema, { userId: randomUUID(), email: `${i}.${email}`, name: "Ada" }),
      ),
    );
    service.pass(1);
    const taken = await Promise.all(Array.from({ length: 5 }, () => service.turn()));
    expect(taken.reduce((sum, count) => sum + count)).toBe(20);
    for (let i = 0; i < 20; i++) expect(await mailbox.messages(`${i}.${email}`)).toHaveLength(1);
  });
});
