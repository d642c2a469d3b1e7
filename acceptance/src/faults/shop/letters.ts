import type { MailJson } from "../../shop.ts";

/** What the mails about an order follow from, as it can be seen from outside. */
export interface OrderHistory {
  readonly id: string;
  readonly status: string;
  /** 1 when it was placed; one more with each change of its status. */
  readonly version: number;
  readonly paymentStatus: string;
}

const kinds = ["received", "confirmed", "shipped", "delivered", "cancelled", "receipt"] as const;
type Kind = (typeof kinds)[number];

const subjects: Readonly<Record<Kind, (id: string) => string>> = {
  received: (id) => `Order ${id} received`,
  confirmed: (id) => `Order ${id} is confirmed`,
  shipped: (id) => `Order ${id} is on its way`,
  delivered: (id) => `Order ${id} was delivered`,
  cancelled: (id) => `Order ${id} was cancelled`,
  receipt: (id) => `Receipt for order ${id}`,
};

/**
 * How many mails of each kind may be there: one when it was placed, one for each change of status, and a receipt when the
 * payment completed. That is known but for one case: a cancellation that raced the charge may have found the payment
 * completed, or still under way, and either way the money goes back.
 */
export function lettersOwed({
  status,
  version,
  paymentStatus,
}: OrderHistory): Readonly<Record<Kind, readonly number[]>> {
  const cancelled = status === "ORDER_STATUS_CANCELLED" ? 1 : 0;
  // Before its cancellation an order can have been confirmed, and nothing else; it is shipped and delivered in this order.
  const changes = version - 1 - cancelled;
  const atLeast = (count: number): number => (changes >= count ? 1 : 0);
  const confirmed = atLeast(1);
  const receipt = confirmed > 0 ? [1] : paymentStatus === "PAYMENT_STATUS_REFUNDED" ? [0, 1] : [0];
  return {
    ...{ received: [1], confirmed: [confirmed], cancelled: [cancelled], receipt },
    ...{ shipped: [atLeast(2)], delivered: [atLeast(3)] },
  };
}

/** Where the mails to a customer aren't what is owed for the account and these orders. A repeat has its first's Message-ID. */
export function wrongLetters(orders: readonly OrderHistory[], mails: readonly MailJson[]): readonly string[] {
  const wrong: string[] = [];
  const idsOf = (subject: string): ReadonlySet<string> =>
    new Set(mails.filter((mail) => mail.subject === subject).map(({ messageId }) => messageId));
  const known = new Map<string, string>();
  const claim = (subject: string, allowed: readonly number[]): void => {
    const ids = idsOf(subject);
    if (!allowed.includes(ids.size)) wrong.push(`mails "${subject}": ${ids.size} instead of ${allowed.join(" or ")}`);
    for (const id of ids) {
      const other = known.get(id);
      if (other !== undefined) wrong.push(`mails "${other}" and "${subject}" have one Message-ID, ${id}`);
      known.set(id, subject);
    }
  };
  claim("Welcome to Weft", [1]);
  for (const order of orders) {
    const owed = lettersOwed(order);
    for (const kind of kinds) claim(subjects[kind](order.id), owed[kind]);
  }
  for (const { messageId, subject } of mails) {
    if (!known.has(messageId)) wrong.push(`mail "${subject}" is owed for nothing`);
  }
  return wrong;
}
