import type { Migration } from "@weft/store";
import type { ColumnType, Generated } from "kysely";
import type { TimerKind } from "../app/fire-timers.ts";
import type { OrderStatus } from "../domain/order-status.ts";

export interface OrderDatabase {
  orders: OrdersTable;
  order_changes: OrderChangesTable;
  order_timers: OrderTimersTable;
}

export interface OrdersTable {
  id: string;
  user_id: ColumnType<string, string, never>;
  /** Written once and read whole. */
  items: ColumnType<readonly StoredItem[], string, never>;
  currency_code: ColumnType<string, string, never>;
  total: ColumnType<string | bigint, string, never>;
  status: OrderStatus;
  reason: string;
  version: number;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
}

/** As JSON has it: a 64-bit number is a string there. */
export interface StoredItem {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: string;
}

/** Each step of each order after its first state, for those who watch it. */
export interface OrderChangesTable {
  order_id: string;
  version: number;
  status: OrderStatus;
  reason: string;
  changed_at: Date;
}

export interface OrderTimersTable {
  order_id: string;
  kind: TimerKind;
  due_at: Date;
  /** Those that failed. */
  attempts: Generated<number>;
}

/** Notified when changes of orders were committed. */
export const changesChannel = "order_changes";

export const migrations: readonly Migration[] = [
  {
    id: "0001_orders",
    sql: `
      CREATE TABLE orders (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        items jsonb NOT NULL,
        currency_code text NOT NULL,
        total bigint NOT NULL,
        status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED', 'CANCELLED')),
        reason text NOT NULL,
        version integer NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL
      );
      CREATE INDEX orders_of_user ON orders (user_id, created_at DESC, id DESC);

      CREATE TABLE order_changes (
        order_id uuid NOT NULL REFERENCES orders,
        version integer NOT NULL,
        status text NOT NULL,
        reason text NOT NULL,
        changed_at timestamptz(3) NOT NULL,
        PRIMARY KEY (order_id, version)
      );
      CREATE FUNCTION tell_order_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          PERFORM pg_notify('${changesChannel}', '');
          RETURN NULL;
        END
      $$;
      CREATE TRIGGER order_changes_told AFTER INSERT ON order_changes
        FOR EACH STATEMENT EXECUTE FUNCTION tell_order_changes();

      CREATE TABLE order_timers (
        order_id uuid NOT NULL REFERENCES orders,
        kind text NOT NULL CHECK (kind IN ('payment_timeout')),
        due_at timestamptz(3) NOT NULL,
        PRIMARY KEY (order_id, kind)
      );
      CREATE INDEX order_timers_due ON order_timers (due_at);
    `,
  },
  {
    id: "0002_changes_told_after_commit",
    sql: `
      -- Transactions that notify commit one after the other: watchers are told after the commit. The former version can do without:
      -- while its processes are left, what they change is found by the watchers' poll, within 5 s.
      DROP TRIGGER order_changes_told ON order_changes;
      DROP FUNCTION tell_order_changes();
    `,
  },
  { id: "0003_timer_attempts", sql: "ALTER TABLE order_timers ADD COLUMN attempts integer NOT NULL DEFAULT 0" },
];
