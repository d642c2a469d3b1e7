import type { Selectable } from "kysely";
import type { Money, Payment } from "../domain/payment.ts";
import type { PaymentsTable } from "./schema.ts";

type StateColumns = Pick<
  Selectable<PaymentsTable>,
  | "status"
  | "currency_code"
  | "minor_units"
  | "payment_token"
  | "in_doubt"
  | "cancel_requested"
  | "asked_at"
  | "watched_until"
  | "provider_reference"
  | "reason"
  | "updated_at"
>;

/** The columns that a payment's state decides. */
export function toColumns(payment: Payment): StateColumns {
  return {
    status: payment.status,
    currency_code: payment.amount?.currencyCode ?? null,
    minor_units: payment.amount ? String(payment.amount.minorUnits) : null,
    payment_token: "token" in payment ? payment.token : null,
    in_doubt: payment.status === "charging" && payment.inDoubt,
    cancel_requested: payment.status === "charging" && payment.cancelRequested,
    asked_at: payment.status === "charging" ? payment.askedAt : null,
    watched_until: payment.status === "cancelled" ? (payment.watchedUntil ?? null) : null,
    provider_reference: "reference" in payment ? payment.reference : null,
    reason: "reason" in payment ? payment.reason : null,
    updated_at: payment.updatedAt,
  };
}

export function toPayment(row: Selectable<PaymentsTable>): Payment {
  const subject = {
    orderId: row.order_id,
    userId: row.user_id,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
  if (row.status === "cancelled") {
    return { ...subject, status: row.status, amount: amountOf(row), watchedUntil: row.watched_until ?? undefined };
  }
  const facts = { ...subject, amount: required(row, "amount", amountOf(row)) };
  switch (row.status) {
    case "pending":
      return { ...facts, status: row.status, token: required(row, "payment_token", row.payment_token) };
    case "charging":
      return {
        ...facts,
        status: row.status,
        token: required(row, "payment_token", row.payment_token),
        inDoubt: row.in_doubt,
        cancelRequested: row.cancel_requested,
        askedAt: row.asked_at ?? row.updated_at,
      };
    case "failed":
      return { ...facts, status: row.status, reason: required(row, "reason", row.reason) };
    case "refunding":
      return { ...facts, status: row.status, reference: referenceOf(row), reason: required(row, "reason", row.reason) };
    case "completed":
    case "refunded":
      return { ...facts, status: row.status, reference: referenceOf(row) };
  }
}

function amountOf({ currency_code, minor_units }: Selectable<PaymentsTable>): Money | undefined {
  if (currency_code === null || minor_units === null) return undefined;
  return { currencyCode: currency_code, minorUnits: BigInt(minor_units) };
}

function referenceOf(row: Selectable<PaymentsTable>): string {
  return required(row, "provider_reference", row.provider_reference);
}

/** The table's checks promise it: a row without it was written by something else. */
function required<T>(row: Selectable<PaymentsTable>, column: string, value: T | null | undefined): T {
  if (value === null || value === undefined) {
    throw new Error(`the payment of order ${row.order_id} is ${row.status} and has no ${column}`);
  }
  return value;
}
