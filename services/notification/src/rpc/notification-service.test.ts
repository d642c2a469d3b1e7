import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { NotificationService } from "@shop/contracts/notification";
import { OrderStatus, OrderStatusChangedSchema } from "@shop/contracts/order";
import { UserCreatedSchema } from "@shop/contracts/user";
import { describeProvider, forgedPageTokens, loadExamples, type StateHandler } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Mailbox, startMailbox } from "../testing/mailbox.ts";
import { openNotificationService, type RunningNotification } from "../testing/running-notification.ts";

let mailbox: Mailbox;
let service: RunningNotification;

beforeAll(async () => {
  mailbox = await startMailbox();
  service = await openNotificationService({ smtpUrl: mailbox.smtpUrl });
});
afterAll(async () => {
  await service?.close();
  await mailbox?.stop();
});

describe("ListNotifications", () => {
  it("pages through a user's notifications, newest first, each once", async () => {
    await service.empty();
    const userId = randomUUID();
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      const event = { userId, orderId: randomUUID(), status: OrderStatus.SHIPPED };
      ids.unshift(await service.consume(OrderStatusChangedSchema, event));
      await service.consume(OrderStatusChangedSchema, { ...event, userId: randomUUID() });
    }
    const pages: string[][] = [];
    let pageToken = "";
    do {
      const page = await service.client.listNotifications({ userId, pageSize: 3, pageToken });
      pages.push(page.notifications.map(({ id }) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(pages).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
  });

  it.each([
    ["user_id", { userId: "" }],
    ["user_id", { userId: "not-a-uuid" }],
    ["user_id", { userId: "x".repeat(10_000) }],
    ["page_size", { pageSize: -1 }],
    ["page_size", { pageSize: 101 }],
    ["page_token", { pageToken: "x".repeat(201) }],
    ["page_token", { pageToken: "nonsense" }],
  ])("refuses a bad %s, naming the field: %o", async (field, wrong) => {
    await expect(service.client.listNotifications({ userId: randomUUID(), ...wrong })).rejects.toThrow(
      new RegExp(`^\\[invalid_argument\\].*${field}`),
    );
  });

  it.each(forgedPageTokens)("refuses a page token %s", async (_what, pageToken) => {
    await expect(service.client.listNotifications({ userId: randomUUID(), pageToken })).rejects.toThrow(
      /^\[invalid_argument\].*page_token/,
    );
  });
});

const states: Record<string, StateHandler> = {
  async "no notifications"() {
    await service.empty();
  },
  async "a welcome mail"({ user_id: userId = "", email = "" }) {
    await service.empty();
    await service.consume(UserCreatedSchema, { userId, email, name: "Ada" });
    await service.turn();
  },
};

const examples = resolve(
  import.meta.dirname,
  "../../../../proto/shop/notification/v1/notification_service.examples.yaml",
);

describeProvider({ describe, it }, loadExamples(NotificationService, examples), () => ({
  client: service.client,
  states,
}));
