import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Mail, type Occasion, writeMail } from "./mail.ts";

const usd = (minorUnits: bigint) => ({ currencyCode: "USD", minorUnits });
const text = fc.string({ unit: "grapheme", maxLength: 40 });

const occasion: fc.Arbitrary<Occasion> = fc.oneof(
  fc.record({ kind: fc.constant("welcome" as const), name: text }),
  fc.record({ kind: fc.constant("email_changed" as const), name: text, email: text }),
  fc.record({
    kind: fc.constant("order_received" as const),
    orderId: text,
    items: fc.array(fc.record({ productId: text, quantity: fc.nat(), unitPrice: fc.constant(usd(1n)) })),
    total: fc.constant(usd(1n)),
  }),
  fc.record({
    kind: fc.constant("order_status" as const),
    orderId: text,
    status: fc.constantFrom("confirmed" as const, "cancelled" as const),
    reason: text,
  }),
  fc.record({
    kind: fc.constant("payment_receipt" as const),
    orderId: text,
    amount: fc.constant(usd(1n)),
    reference: text,
  }),
);

describe("a mail", () => {
  it("lists what was ordered, line by line, and its total", () => {
    const mail = writeMail({
      kind: "order_received",
      orderId: "order-1",
      items: [
        { productId: "coffee-beans", quantity: 2, unitPrice: usd(1250n) },
        { productId: "mug", quantity: 1, unitPrice: usd(999n) },
      ],
      total: usd(3499n),
    });
    expect(mail.subject).toBe("Order order-1 received");
    expect(mail.text).toBe(
      "We received your order order-1.\n\n" +
        "2 × coffee-beans at $12.50: $25.00\n1 × mug at $9.99: $9.99\n\n" +
        "Total: $34.99\n\nYour Weft shop\n",
    );
    expect(mail.html).toContain("<td>2 × coffee-beans</td><td>$12.50</td><td>$25.00</td>");
  });

  it("says why an order was cancelled, when there is a reason", () => {
    const cancelled = { kind: "order_status", orderId: "order-1", status: "cancelled" } as const;
    expect(writeMail({ ...cancelled, reason: "card_declined" }).text).toContain("Reason: card_declined");
    expect(writeMail({ ...cancelled, reason: "" }).text).not.toContain("Reason");
  });

  it("says how much was paid, and the provider's reference", () => {
    const mail = writeMail({ kind: "payment_receipt", orderId: "order-1", amount: usd(2500n), reference: "ch_1" });
    expect(mail.text).toContain("We received $25.00 for your order order-1.");
    expect(mail.text).toContain("ch_1");
  });

  it("shows markup in a name as text", () => {
    const { html } = writeMail({ kind: "welcome", name: `<img src=x onerror="alert('1')"> & co` });
    expect(html).toContain("Hello &lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co,");
  });

  it("has no markup but its own, whatever others wrote", () => {
    const own = /<(?:!doctype html|\/?(?:html|body|p|table|tr|td))(?: lang="en")?>/g;
    const markup = ({ html }: Mail) => html.replaceAll(own, "");
    fc.assert(fc.property(occasion, (each) => !/[<>"']/.test(markup(writeMail(each)))));
  });
});
