import type { Selectable } from "kysely";
import type { Delivery, Notification } from "../domain/notification.ts";
import type { NotificationsTable } from "./schema.ts";

/** The columns that a notification decides when it is added. */
export function toColumns({ id, userId, orderId, kind, mail, createdAt, delivery }: Notification) {
  return {
    id,
    user_id: userId,
    order_id: orderId ?? null,
    kind,
    status: delivery.status,
    recipient: delivery.recipient ?? null,
    subject: mail.subject,
    text_body: mail.text,
    html_body: mail.html,
    reason: delivery.status === "rejected" ? delivery.reason : null,
    created_at: createdAt,
    due_at: createdAt,
    sent_at: delivery.status === "sent" ? delivery.sentAt : null,
  };
}

export function toNotification(row: Selectable<NotificationsTable>): Notification {
  return {
    id: row.id,
    userId: row.user_id,
    orderId: row.order_id ?? undefined,
    kind: row.kind,
    mail: { subject: row.subject, text: row.text_body, html: row.html_body },
    createdAt: row.created_at,
    delivery: toDelivery(row),
  };
}

function toDelivery({ id, status, recipient, reason, sent_at }: Selectable<NotificationsTable>): Delivery {
  switch (status) {
    case "queued":
      return { status, recipient: recipient ?? undefined };
    case "rejected":
      return { status, recipient: recipient ?? undefined, reason: reason ?? "" };
    case "sent":
      // The table's checks promise both.
      if (recipient === null || sent_at === null) throw new Error(`notification ${id} was sent to nobody or never`);
      return { status, recipient, sentAt: sent_at };
  }
}
