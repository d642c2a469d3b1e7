import { type Html, html } from "./html.ts";
import { formatMoney, type Money } from "./money.ts";

/** What a mail says, in both of its forms. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailItem {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: Money;
}

export type OrderStatus = "confirmed" | "shipped" | "delivered" | "cancelled";

/** What happened that a mail is owed for. */
export type Occasion =
  | { readonly kind: "welcome"; readonly name: string }
  | { readonly kind: "email_changed"; readonly name: string; readonly email: string }
  | {
      readonly kind: "order_received";
      readonly orderId: string;
      readonly items: readonly MailItem[];
      readonly total: Money;
    }
  | { readonly kind: "order_status"; readonly orderId: string; readonly status: OrderStatus; readonly reason: string }
  | { readonly kind: "payment_receipt"; readonly orderId: string; readonly amount: Money; readonly reference: string };

export type MailKind = Occasion["kind"];

export function writeMail(occasion: Occasion): Mail {
  switch (occasion.kind) {
    case "welcome":
      return letter("Welcome to Weft", [
        `Hello ${occasion.name},`,
        "your account is open. Everything that happens to your orders will reach you at this address.",
      ]);
    case "email_changed":
      return letter("Your e-mail address was changed", [
        `Hello ${occasion.name},`,
        `from now on our mail for you goes to ${occasion.email}.`,
      ]);
    case "order_received":
      return orderReceived(occasion.orderId, occasion.items, occasion.total);
    case "order_status":
      return letter(`Order ${occasion.orderId} ${outcome[occasion.status]}`, [
        `Your order ${occasion.orderId} ${outcome[occasion.status]}.`,
        ...(occasion.reason === "" ? [] : [`Reason: ${occasion.reason}`]),
      ]);
    case "payment_receipt":
      return letter(`Receipt for order ${occasion.orderId}`, [
        `We received ${formatMoney(occasion.amount)} for your order ${occasion.orderId}.`,
        `Payment reference: ${occasion.reference}`,
      ]);
  }
}

const outcome: Readonly<Record<OrderStatus, string>> = {
  confirmed: "is confirmed",
  shipped: "is on its way",
  delivered: "was delivered",
  cancelled: "was cancelled",
};

function orderReceived(orderId: string, items: readonly MailItem[], total: Money): Mail {
  const opening = `We received your order ${orderId}.`;
  const lines = items.map(({ productId, quantity, unitPrice }) => {
    const price = { ...unitPrice, minorUnits: unitPrice.minorUnits * BigInt(quantity) };
    return { quantity, productId, each: formatMoney(unitPrice), price: formatMoney(price) };
  });
  const sum = formatMoney(total);
  const rows = lines.map(({ quantity, productId, each, price }) => `${quantity} × ${productId} at ${each}: ${price}`);
  const table = lines.map(
    ({ quantity, productId, each, price }) =>
      html`<tr><td>${quantity} × ${productId}</td><td>${each}</td><td>${price}</td></tr>`,
  );
  return {
    subject: `Order ${orderId} received`,
    text: paragraphs([opening, rows.join("\n"), `Total: ${sum}`]),
    html: page([html`<p>${opening}</p>`, html`<table>${table}<tr><td>Total</td><td></td><td>${sum}</td></tr></table>`]),
  };
}

function letter(subject: string, sentences: readonly string[]): Mail {
  return { subject, text: paragraphs(sentences), html: page(sentences.map((sentence) => html`<p>${sentence}</p>`)) };
}

const signature = "Your Weft shop";

function paragraphs(parts: readonly string[]): string {
  return `${[...parts, signature].join("\n\n")}\n`;
}

function page(body: readonly Html[]): string {
  return html`<!doctype html><html lang="en"><body>${body}<p>${signature}</p></body></html>`.html;
}
