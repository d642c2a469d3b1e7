import { type Mail, type MailKind, type Occasion, writeMail } from "./mail.ts";

/** A mail that is owed for an event, or was. */
export interface Notification {
  /** The event's id, and the left side of the mail's Message-ID. */
  readonly id: string;
  readonly userId: string;
  readonly orderId: string | undefined;
  readonly kind: MailKind;
  readonly mail: Mail;
  readonly createdAt: Date;
  readonly delivery: Delivery;
}

export type Delivery =
  /** To be sent; without a recipient until the user's address is known here. */
  | { readonly status: "queued"; readonly recipient: string | undefined }
  | { readonly status: "sent"; readonly recipient: string; readonly sentAt: Date }
  /** For good: by the mail server, or because the account was deleted before its address was needed. */
  | { readonly status: "rejected"; readonly recipient: string | undefined; readonly reason: string };

/** What is known of a user's address. */
export type Address =
  | { readonly kind: "known"; readonly email: string }
  /** Its UserCreated has not arrived: it comes on another stream. */
  | { readonly kind: "awaited" }
  | { readonly kind: "forgotten" };

export const accountDeleted = "the account was deleted, and its address forgotten";

/** The event's mail to whoever the address belongs to. */
export function oweMail(
  event: { readonly id: string; readonly userId: string; readonly occurredAt: Date },
  occasion: Occasion,
  address: Address,
): Notification {
  return {
    id: event.id,
    userId: event.userId,
    orderId: "orderId" in occasion ? occasion.orderId : undefined,
    kind: occasion.kind,
    mail: writeMail(occasion),
    createdAt: event.occurredAt,
    delivery: deliveryTo(address),
  };
}

function deliveryTo(address: Address): Delivery {
  switch (address.kind) {
    case "known":
      return { status: "queued", recipient: address.email };
    case "awaited":
      return { status: "queued", recipient: undefined };
    case "forgotten":
      return { status: "rejected", recipient: undefined, reason: accountDeleted };
  }
}
