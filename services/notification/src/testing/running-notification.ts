import { randomUUID } from "node:crypto";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { createNotificationClient } from "@shop/contracts/notification";
import { startServer } from "@weft/service";
import { type Logger, silentLogger } from "@weft/telemetry";
import { createTestDatabase, deliver, meshTo } from "@weft/testkit";
import { followUsers } from "../app/follow-users.ts";
import { listNotifications } from "../app/list-notifications.ts";
import type { SendOutcome } from "../app/mailer.ts";
import { notify } from "../app/notify.ts";
import { sendMail } from "../app/send-mail.ts";
import { createSmtpMailer } from "../peers/smtp-mailer.ts";
import { serveNotifications } from "../rpc/notification-service.ts";
import { createAddressRepository } from "../store/address-repository.ts";
import { createNotificationRepository } from "../store/notification-repository.ts";
import { migrations, type NotificationDatabase } from "../store/schema.ts";
import { onOrderCreated } from "../subscribers/order-created.ts";
import { onOrderStatusChanged } from "../subscribers/order-status-changed.ts";
import { onPaymentCompleted } from "../subscribers/payment-completed.ts";
import { onUserCreated } from "../subscribers/user-created.ts";
import { onUserDeleted } from "../subscribers/user-deleted.ts";
import { onUserUpdated } from "../subscribers/user-updated.ts";

export type RunningNotification = Awaited<ReturnType<typeof openNotificationService>>;

export const leaseMs = 20_000;
export const pauseMs = 1_000;

export interface RunningNotificationOptions {
  readonly smtpUrl: string;
  readonly logger?: Logger;
}

/** The service as main.ts wires it, over the network, but for its worker: a test says when it takes its turn. */
export async function openNotificationService({ smtpUrl, logger = silentLogger }: RunningNotificationOptions) {
  const database = await createTestDatabase<NotificationDatabase>("notification", migrations);
  const { store } = database;
  const clock = { now: new Date() };
  const now = (): Date => clock.now;

  const notifications = createNotificationRepository({ store, newLease: randomUUID });
  const addresses = createAddressRepository(store);
  const smtp = createSmtpMailer({
    url: smtpUrl,
    from: "Weft <shop@weft.shop>",
    domain: "weft.shop",
    maxConnections: 5,
    timeoutMs: 2_000,
  });
  const after: { send: ((outcome: SendOutcome) => Promise<void>) | undefined } = { send: undefined };
  const mailer = {
    async send(mail: Parameters<typeof smtp.send>[0]) {
      const outcome = await smtp.send(mail);
      await after.send?.(outcome);
      return outcome;
    },
  };
  const atomically = <T>(work: () => Promise<T>) => store.within(work);
  const parts = { notifications, addresses, atomically, wake: () => {} };
  const [owe, users] = [notify(parts), followUsers(parts)];
  const subscriptions = [
    ...[onUserCreated(users), onUserUpdated(users), onUserDeleted(users)],
    ...[onOrderCreated(owe), onOrderStatusChanged(owe), onPaymentCompleted(owe)],
  ];
  const send = sendMail({ notifications, mailer, logger, now, pauseMs: () => pauseMs });
  const server = await startServer({
    services: [serveNotifications(listNotifications(notifications))],
    host: "127.0.0.1",
    port: 0,
    logger,
  });
  const mesh = meshTo(server);

  return {
    client: createNotificationClient(mesh),
    store,
    subscriptions,
    notifications,
    addresses,
    /** Runs after the mail server answered and before the answer is kept. */
    after,
    /** Consumes an event as the inbox would, in a transaction of its own, at a moment of its own; its id. */
    async consume<D extends DescMessage>(schema: D, event: MessageInitShape<D>, id: string = randomUUID()) {
      clock.now = new Date(clock.now.getTime() + 1);
      await deliver({ store, subscriptions }, schema, event, { id, occurredAt: now() });
      return id;
    },
    /** One turn of the worker; how many mails it was at. */
    async turn(): Promise<number> {
      await notifications.resolveAll();
      const claims = await notifications.claimDue(100, leaseMs, now());
      await Promise.all(claims.map(send));
      return claims.length;
    },
    pass(ms: number) {
      clock.now = new Date(clock.now.getTime() + ms);
    },
    empty: database.empty,
    async close() {
      smtp.close();
      await mesh.close();
      await server.close(0);
      await database.drop();
    },
  };
}
