import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  NotificationKind,
  type NotificationSchema,
  NotificationService,
  NotificationStatus,
  notificationServicePolicies,
} from "@shop/contracts/notification";
import { creationPageTokens, type ServedService, serve } from "@weft/service";
import type { listNotifications } from "../app/list-notifications.ts";
import type { MailKind } from "../domain/mail.ts";
import type { Delivery, Notification } from "../domain/notification.ts";

export function serveNotifications(list: ReturnType<typeof listNotifications>): ServedService {
  const implementation: ServiceImpl<typeof NotificationService> = {
    async listNotifications({ userId, pageSize, pageToken }) {
      const page = await list(userId, creationPageTokens.cursorOf(pageToken), pageSize || 20);
      return {
        notifications: page.notifications.map(toMessage),
        nextPageToken: creationPageTokens.tokenOf(page.next),
      };
    },
  };
  return serve(NotificationService, notificationServicePolicies, implementation);
}

const kinds: Readonly<Record<MailKind, NotificationKind>> = {
  welcome: NotificationKind.WELCOME,
  email_changed: NotificationKind.EMAIL_CHANGED,
  order_received: NotificationKind.ORDER_RECEIVED,
  order_status: NotificationKind.ORDER_STATUS,
  payment_receipt: NotificationKind.PAYMENT_RECEIPT,
};

const statuses: Readonly<Record<Delivery["status"], NotificationStatus>> = {
  queued: NotificationStatus.QUEUED,
  sent: NotificationStatus.SENT,
  rejected: NotificationStatus.REJECTED,
};

function toMessage(notification: Notification): MessageInitShape<typeof NotificationSchema> {
  const { id, userId, orderId, kind, mail, createdAt, delivery } = notification;
  return {
    id,
    userId,
    orderId: orderId ?? "",
    kind: kinds[kind],
    status: statuses[delivery.status],
    recipient: delivery.recipient ?? "",
    subject: mail.subject,
    createdAt: timestampFromDate(createdAt),
    ...(delivery.status === "sent" && { sentAt: timestampFromDate(delivery.sentAt) }),
  };
}
