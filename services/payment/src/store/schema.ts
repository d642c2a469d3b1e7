import type { Migration } from "@weft/store";
import type { ColumnType } from "kysely";
import type { PaymentStatus } from "../domain/payment.ts";

export interface PaymentDatabase {
  payments: PaymentsTable;
}

/** One row an order. Which of the nullable columns a row has follows from its status. */
export interface PaymentsTable {
  order_id: string;
  user_id: string;
  status: PaymentStatus;
  currency_code: string | null;
  /** The driver reads int8 as text. */
  minor_units: ColumnType<string | null, string | null, string | null>;
  /** Kept while it may be needed for a charge. */
  payment_token: string | null;
  in_doubt: boolean;
  cancel_requested: boolean;
  /** When a charge was last begun; unknown for one that was begun before this column was. */
  asked_at: Date | null;
  /** How long the charge of a cancelled order is looked for, though nothing was found. Means nothing in another status. */
  watched_until: Date | null;
  provider_reference: string | null;
  reason: string | null;
  /** Attempts at the work that is owed now. */
  attempts: number;
  due_at: Date;
  lease: string | null;
  leased_until: Date | null;
  correlation_id: string;
  trace: ColumnType<Record<string, string>, string, never>;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
}

export const migrations: readonly Migration[] = [
  {
    id: "0001_payments",
    sql: `
      CREATE TABLE payments (
        order_id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        status text NOT NULL
          CHECK (status IN ('pending', 'charging', 'completed', 'failed', 'refunding', 'refunded', 'cancelled')),
        currency_code text,
        minor_units bigint CHECK (minor_units >= 0),
        payment_token text,
        in_doubt boolean NOT NULL DEFAULT false,
        cancel_requested boolean NOT NULL DEFAULT false,
        provider_reference text,
        reason text,
        attempts integer NOT NULL DEFAULT 0,
        due_at timestamptz(3) NOT NULL,
        lease uuid,
        leased_until timestamptz(3),
        correlation_id text NOT NULL,
        trace jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL,
        updated_at timestamptz(3) NOT NULL,
        CHECK (status = 'cancelled' OR (currency_code IS NOT NULL AND minor_units IS NOT NULL)),
        CHECK ((status IN ('pending', 'charging')) = (payment_token IS NOT NULL)),
        CHECK ((status IN ('completed', 'refunding', 'refunded')) = (provider_reference IS NOT NULL)),
        CHECK (status NOT IN ('failed', 'refunding') OR reason IS NOT NULL)
      );
      CREATE INDEX payments_to_charge ON payments (due_at) WHERE status IN ('pending', 'charging');
      CREATE INDEX payments_to_refund ON payments (due_at) WHERE status = 'refunding';
    `,
  },
  { id: "0002_asked_at", sql: "ALTER TABLE payments ADD COLUMN asked_at timestamptz(3)" },
  {
    // No CHECK says that only cancelled ones have it: the former version leaves it behind when a charge turns up after all.
    id: "0003_watched_until",
    sql: "ALTER TABLE payments ADD COLUMN IF NOT EXISTS watched_until timestamptz(3)",
  },
  {
    // In a transaction of its own: the column takes no time, the index as long as a look at the table.
    id: "0004_payments_to_watch",
    sql: `
      CREATE INDEX IF NOT EXISTS payments_to_watch ON payments (due_at)
        WHERE status = 'cancelled' AND watched_until IS NOT NULL
    `,
  },
];
