import { randomUUID } from "node:crypto";
import { createLargeDatabase, type LargeDatabase } from "@weft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { oweMail } from "../domain/notification.ts";
import { createAddressRepository } from "./address-repository.ts";
import { createNotificationRepository } from "./notification-repository.ts";
import { migrations, type NotificationDatabase } from "./schema.ts";

/** A hundred mails for each of a thousand users among many; a few are to be sent, a few wait for an address. */
const notifications = `
  INSERT INTO user_addresses
  SELECT lpad(n::text, 32, '0')::uuid, n || '@example.com' FROM generate_series(1, 100000) AS n;
  INSERT INTO notifications (id, user_id, kind, status, recipient, subject, text_body, html_body, due_at, correlation_id,
    trace, created_at, sent_at)
  SELECT gen_random_uuid(), lpad((n % 1000)::text, 32, '0')::uuid, 'welcome',
    CASE WHEN n % 100 < 2 THEN 'queued' ELSE 'sent' END,
    CASE WHEN n % 100 <> 1 THEN n || '@example.com' END,
    'Welcome', '', '', at, 'explain', '{}', at, CASE WHEN n % 100 >= 2 THEN at END
  FROM (
    SELECT n, timestamptz '2026-01-01' + n * interval '1 minute' AS at FROM generate_series(1, 100000) AS n
  ) AS drawn`;

let database: LargeDatabase<NotificationDatabase>;
beforeAll(async () => {
  database = await createLargeDatabase("notification", migrations, notifications);
});
afterAll(() => database?.drop());

describe("among 100,000 notifications and as many addresses", () => {
  it("each statement of the store finds its rows by an index", async () => {
    const notifications = createNotificationRepository({ store: database.store, newLease: randomUUID });
    const addresses = createAddressRepository(database.store);
    const now = new Date("2026-04-01T00:00:00Z");
    const userId = randomUUID();
    await addresses.put(userId, "ada@example.com");
    await addresses.find(userId);
    const event = { id: randomUUID(), userId, occurredAt: now };
    await notifications.add(oweMail(event, { kind: "welcome", name: "Ada" }, { kind: "awaited" }));
    const [newest] = await notifications.page(userId, undefined, 50);
    await notifications.page(userId, newest, 50);
    await notifications.resolve(userId);
    await notifications.resolveAll();
    const [sent, rejected, late] = await notifications.claimDue(10, 1_000, now);
    if (!sent || !rejected || !late) return expect.unreachable("more than three are due");
    await notifications.markSent(sent, now);
    await notifications.markRejected(rejected, "no such mailbox");
    await notifications.postpone(late, now);
    await addresses.forget(userId);
    expect(await database.sequentialScans()).toEqual([]);
  });
});
