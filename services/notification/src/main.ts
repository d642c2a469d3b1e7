import { randomUUID } from "node:crypto";
import { runService } from "@weft/service";
import { backoffMs, createLanes, onCommit } from "@weft/store";
import { followUsers } from "./app/follow-users.ts";
import { listNotifications } from "./app/list-notifications.ts";
import { notify } from "./app/notify.ts";
import { sendMail } from "./app/send-mail.ts";
import { createSmtpMailer } from "./peers/smtp-mailer.ts";
import { serveNotifications } from "./rpc/notification-service.ts";
import { settings } from "./settings.ts";
import { createAddressRepository } from "./store/address-repository.ts";
import { createNotificationRepository } from "./store/notification-repository.ts";
import { migrations, type NotificationDatabase } from "./store/schema.ts";
import { onOrderCreated } from "./subscribers/order-created.ts";
import { onOrderStatusChanged } from "./subscribers/order-status-changed.ts";
import { onPaymentCompleted } from "./subscribers/payment-completed.ts";
import { onUserCreated } from "./subscribers/user-created.ts";
import { onUserDeleted } from "./subscribers/user-deleted.ts";
import { onUserUpdated } from "./subscribers/user-updated.ts";

await runService<NotificationDatabase, typeof settings>({
  name: "notification",
  settings,
  migrations,
  setup({ store, settings, logger, onClose, startWorker }) {
    const notifications = createNotificationRepository({ store, newLease: randomUUID });
    const addresses = createAddressRepository(store);
    const now = () => new Date();

    const { SMTP_URL: url, MAIL_FROM: from, MAIL_DOMAIN: domain } = settings;
    const mailer = createSmtpMailer({ url, from, domain, maxConnections: 5, timeoutMs: 5_000 });
    onClose("mailer", () => mailer.close());
    const pauseMs = (attempt: number) => backoffMs(attempt, { baseMs: 500, maxMs: 60_000 });
    const send = sendMail({ notifications, mailer, logger, now, pauseMs });
    const lanes = createLanes(5, (limit) => notifications.claimDue(limit, 20_000, now()), send, logger);
    const sender = startWorker({ name: "send mail", ...lanes, intervalMs: 500 });
    const resolve = async () => {
      const resolved = await notifications.resolveAll();
      if (resolved > 0) sender.wake();
      return resolved;
    };
    startWorker({ name: "resolve addresses", poll: resolve, intervalMs: 500 });

    const atomically = <T>(work: () => Promise<T>) => store.within(work);
    const parts = { notifications, addresses, atomically, wake: () => onCommit(() => sender.wake()) };
    const [owe, users] = [notify(parts), followUsers(parts)];
    return {
      services: [serveNotifications(listNotifications(notifications))],
      subscriptions: [
        onUserCreated(users),
        onUserUpdated(users),
        onUserDeleted(users),
        onOrderCreated(owe),
        onOrderStatusChanged(owe),
        onPaymentCompleted(owe),
      ],
    };
  },
});
