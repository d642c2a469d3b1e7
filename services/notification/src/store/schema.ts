import type { Migration } from "@weft/store";
import type { ColumnType } from "kysely";
import type { MailKind } from "../domain/mail.ts";
import type { Delivery } from "../domain/notification.ts";

export interface NotificationDatabase {
  user_addresses: UserAddressesTable;
  notifications: NotificationsTable;
}

export interface UserAddressesTable {
  user_id: string;
  /** Null once the user was deleted. */
  email: string | null;
}

export interface NotificationsTable {
  /** The event's. */
  id: string;
  user_id: string;
  order_id: string | null;
  kind: MailKind;
  status: Delivery["status"];
  recipient: string | null;
  subject: string;
  text_body: string;
  html_body: string;
  /** Why it was rejected. */
  reason: string | null;
  attempts: number;
  due_at: Date;
  lease: string | null;
  leased_until: Date | null;
  correlation_id: string;
  trace: ColumnType<Record<string, string>, string, never>;
  created_at: ColumnType<Date, Date, never>;
  sent_at: Date | null;
}

export const migrations: readonly Migration[] = [
  {
    id: "0001_notifications",
    sql: `
      CREATE TABLE user_addresses (
        user_id uuid PRIMARY KEY,
        email text
      );
      CREATE TABLE notifications (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        order_id uuid,
        kind text NOT NULL
          CHECK (kind IN ('welcome', 'email_changed', 'order_received', 'order_status', 'payment_receipt')),
        status text NOT NULL CHECK (status IN ('queued', 'sent', 'rejected')),
        recipient text,
        subject text NOT NULL,
        text_body text NOT NULL,
        html_body text NOT NULL,
        reason text,
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        lease uuid,
        leased_until timestamptz(3),
        correlation_id text NOT NULL,
        trace jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        sent_at timestamptz(3),
        CHECK ((status = 'sent') = (sent_at IS NOT NULL)),
        CHECK ((status = 'rejected') = (reason IS NOT NULL)),
        CHECK (status <> 'sent' OR recipient IS NOT NULL)
      );
      CREATE INDEX notifications_of_user ON notifications (user_id, created_at DESC, id DESC);
      CREATE INDEX notifications_to_send ON notifications (due_at) WHERE status = 'queued' AND recipient IS NOT NULL;
      CREATE INDEX notifications_to_resolve ON notifications (user_id) WHERE status = 'queued' AND recipient IS NULL;
    `,
  },
];
