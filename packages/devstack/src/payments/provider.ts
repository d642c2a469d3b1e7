import { createHash, randomUUID } from "node:crypto";
import type { Answer } from "../http.ts";
import type { Journal } from "./journal.ts";

export interface Charge {
  readonly id: string;
  readonly order_id: string;
  readonly amount_minor: number;
  readonly currency: string;
  readonly token: string;
  readonly status: "succeeded" | "declined";
  readonly created_at: string;
}

export interface Refund {
  readonly id: string;
  readonly charge_id: string;
  readonly order_id: string;
  readonly amount_minor: number;
  readonly currency: string;
  readonly created_at: string;
}

/** One keyed request and its answer; what was charged or refunded rides in the answer. */
export interface Entry {
  readonly operation: string;
  readonly key: string;
  readonly request: string;
  readonly answer: Answer;
  readonly charge?: Charge;
  readonly refund?: Refund;
}

/** The rules of the payment provider, over a journal. One request after the other: nothing here waits. */
export function createProvider(journal: Journal<Entry>) {
  const charges = () => journal.entries.flatMap((entry) => entry.charge ?? []);
  const refunds = () => journal.entries.flatMap((entry) => entry.refund ?? []);

  /** The same key with the same body gets the first answer again; with another body it is refused. */
  function keyed(
    operation: string,
    key: string | undefined,
    body: object,
    work: () => Omit<Entry, "operation" | "key" | "request">,
  ) {
    if (key === undefined || key === "")
      return refusal(400, "idempotency_key_missing", "the Idempotency-Key header is required");
    const request = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    const former = journal.entries.find((entry) => entry.operation === operation && entry.key === key);
    if (former !== undefined) {
      if (former.request === request) return former.answer;
      return refusal(409, "idempotency_key_reused", "this Idempotency-Key was used with another request");
    }
    const done = work();
    journal.append({ operation, key, request, ...done });
    return done.answer;
  }

  return {
    charges,
    refunds,

    charge(key: string | undefined, body: Readonly<Record<string, unknown>>): Answer {
      const { amount_minor, currency, token, order_id } = body;
      if (!isAmount(amount_minor)) return refusal(400, "invalid_amount", "amount_minor must be a whole number from 1");
      if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) {
        return refusal(400, "invalid_currency", "currency must be a code of three capital letters");
      }
      if (typeof token !== "string" || !token.startsWith("tok_"))
        return refusal(400, "invalid_token", "token is unknown");
      if (typeof order_id !== "string" || order_id === "") return refusal(400, "invalid_order", "order_id is required");
      const asked = { amount_minor, currency, token, order_id };
      return keyed("charge", key, asked, () => {
        const declined = token.startsWith("tok_declined");
        const status = declined ? "declined" : "succeeded";
        const charge: Charge = { id: `ch_${randomUUID()}`, ...asked, status, created_at: new Date().toISOString() };
        const answer = declined
          ? refusal(402, "card_declined", "the card was declined", charge.id)
          : { status: 201, body: charge };
        return { answer, charge };
      });
    },

    refund(key: string | undefined, chargeId: string, body: Readonly<Record<string, unknown>>): Answer {
      const charge = charges().find(({ id }) => id === chargeId);
      if (charge === undefined) return refusal(404, "charge_not_found", "there is no such charge");
      const { amount_minor = charge.amount_minor } = body;
      if (!isAmount(amount_minor)) return refusal(400, "invalid_amount", "amount_minor must be a whole number from 1");
      return keyed(`refund ${chargeId}`, key, { amount_minor }, () => {
        if (charge.status !== "succeeded") return { answer: refusal(409, "not_charged", "this charge was declined") };
        const before = refunds().filter(({ charge_id }) => charge_id === chargeId);
        const left = charge.amount_minor - before.reduce((sum, refund) => sum + refund.amount_minor, 0);
        if (amount_minor > left) return { answer: refusal(409, "refund_too_large", `only ${left} is left to refund`) };
        const refund: Refund = {
          id: `re_${randomUUID()}`,
          charge_id: chargeId,
          order_id: charge.order_id,
          amount_minor,
          currency: charge.currency,
          created_at: new Date().toISOString(),
        };
        return { answer: { status: 201, body: refund }, refund };
      });
    },
  };
}

function isAmount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function refusal(status: number, code: string, message: string, charge_id?: string): Answer {
  return { status, body: { code, message, ...(charge_id && { charge_id }) } };
}
