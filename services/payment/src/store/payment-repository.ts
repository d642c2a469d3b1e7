import type { Store } from "@weft/store";
import { currentOrigin } from "@weft/telemetry";
import { type Selectable, sql, type Transaction } from "kysely";
import type { Claim, Payments, Work } from "../app/payments.ts";
import type { Payment, PaymentStatus } from "../domain/payment.ts";
import { publishChange } from "./payment-events.ts";
import { toColumns, toPayment } from "./payment-row.ts";
import type { PaymentDatabase, PaymentsTable } from "./schema.ts";

const statusesOf: Readonly<Record<Work, readonly PaymentStatus[]>> = {
  charge: ["pending", "charging"],
  refund: ["refunding"],
  watch: ["cancelled"],
};

export interface PaymentRepositoryParts {
  readonly store: Store<PaymentDatabase>;
  /** A fresh UUID for each claim. */
  readonly newLease: () => string;
}

export function createPaymentRepository({ store, newLease }: PaymentRepositoryParts): Payments {
  type Row = Selectable<PaymentsTable>;

  const locked = (tx: Transaction<PaymentDatabase>, orderId: string): Promise<Row | undefined> =>
    tx.selectFrom("payments").selectAll().where("order_id", "=", orderId).forUpdate().executeTakeFirst();

  /** Applies the change to a locked row, with what becomes of its claim, and tells the others. */
  async function apply(
    tx: Transaction<PaymentDatabase>,
    row: Row,
    change: (payment: Payment) => Payment,
    claim: Partial<Pick<Row, "lease" | "leased_until" | "due_at">> = {},
  ): Promise<Payment> {
    const before = toPayment(row);
    const after = change(before);
    // Attempts at other work than before are counted anew.
    const anew = workOf(after) === workOf(before) ? {} : { attempts: 0 };
    const columns = { ...(after === before ? {} : toColumns(after)), ...claim, ...anew };
    if (Object.keys(columns).length > 0) {
      await tx.updateTable("payments").set(columns).where("order_id", "=", row.order_id).execute();
    }
    await publishChange(before, after);
    return after;
  }

  async function claim(work: Work, limit: number, leaseMs: number, now: Date, orderId?: string): Promise<Claim[]> {
    const rows = await store.db
      .with("free", (db) =>
        db
          .selectFrom("payments")
          .select("order_id")
          .where("status", "in", statusesOf[work].map(literally))
          .$if(work === "watch", (query) => query.where("watched_until", "is not", null))
          .where((row) => row.or([row("leased_until", "is", null), row("leased_until", "<=", now)]))
          .$if(orderId === undefined, (query) => query.where("due_at", "<=", now).orderBy("due_at"))
          .$if(orderId !== undefined, (query) => query.where("order_id", "=", orderId as string))
          .limit(limit)
          .forUpdate()
          .skipLocked(),
      )
      .updateTable("payments")
      .set({ lease: newLease(), leased_until: later(now, leaseMs), attempts: sql<number>`attempts + 1` })
      .where("order_id", "in", (query) => query.selectFrom("free").select("order_id"))
      .returningAll()
      .execute();
    return rows.map((row) => ({
      payment: toPayment(row),
      lease: row.lease ?? "",
      attempt: row.attempts,
      origin: { correlationId: row.correlation_id, trace: row.trace },
    }));
  }

  return {
    async add(payment) {
      const { correlationId, trace } = currentOrigin();
      const row = {
        ...toColumns(payment),
        order_id: payment.orderId,
        user_id: payment.userId,
        due_at: payment.createdAt,
        created_at: payment.createdAt,
        correlation_id: correlationId,
        trace: JSON.stringify(trace),
      };
      const insert = (tx: Transaction<PaymentDatabase>) =>
        tx.insertInto("payments").values({ ...row, attempts: 0, lease: null, leased_until: null });
      const added = await store.within((tx) =>
        insert(tx)
          .onConflict((conflict) => conflict.column("order_id").doNothing())
          .executeTakeFirst(),
      );
      return added.numInsertedOrUpdatedRows === 1n;
    },

    async get(orderId) {
      const row = await store.db.selectFrom("payments").selectAll().where("order_id", "=", orderId).executeTakeFirst();
      return row && toPayment(row);
    },

    change(orderId, change) {
      return store.within(async (tx) => {
        const row = await locked(tx, orderId);
        return row && apply(tx, row, change);
      });
    },

    claimDue: (work, limit, leaseMs, now) => claim(work, limit, leaseMs, now),
    claimOne: async (work, orderId, leaseMs, now) => (await claim(work, 1, leaseMs, now, orderId))[0],

    proceed({ payment: { orderId }, lease }, change, leaseMs, now) {
      return store.transaction(async (tx) => {
        const row = await locked(tx, orderId);
        if (row?.lease !== lease) return undefined;
        return apply(tx, row, change, { leased_until: later(now, leaseMs) });
      });
    },

    settle({ payment: { orderId }, lease }, change, dueAt) {
      return store.transaction(async (tx) => {
        const row = await locked(tx, orderId);
        if (!row) throw new Error(`the payment of order ${orderId} is gone`);
        const release = row.lease === lease ? { lease: null, leased_until: null, due_at: dueAt } : {};
        return apply(tx, row, change, release);
      });
    },
  };
}

function workOf(payment: Payment): Work | undefined {
  if (statusesOf.charge.includes(payment.status)) return "charge";
  if (statusesOf.refund.includes(payment.status)) return "refund";
  return payment.status === "cancelled" && payment.watchedUntil ? "watch" : undefined;
}

/** Part of the text and no parameter: for a prepared statement the indexes of what is owed are of use only then. */
function literally(status: PaymentStatus) {
  return sql.lit(status);
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
