import type { Row } from "./runner/row.ts";
import { auditBooks } from "./shop/books.ts";
import { settle } from "./shop/customer.ts";
import { openShop } from "./shop/open-shop.ts";
import { confirmed, type Wish } from "./shop/wish.ts";

const atOnce = 50;

/** One order is placed fifty times at once under its one key, and that a few times over. */
export const duplicateStorm: Row = {
  name: "duplicate-storm",
  claim: "the same order key 50 times at once: one order, identical bytes, one charge",
  minutes: 5,
  async run(ground) {
    const { findings, signal } = ground;
    const shop = await openShop(ground);
    const shelf = await shop.now().products();
    const product = shelf.toSorted((a, b) => (b.stock ?? 0) - (a.stock ?? 0))[0];
    if (!product) throw new Error("the catalogue is empty");
    const storms = ground.size(20, 5);
    const wishes: Wish[] = [];
    const seen = { refused: 0, bodies: 0, orders: 0 };
    const times: number[] = [];
    for (let i = 0; i < storms && !signal.aborted; i++) {
      const person = await shop.now().createUser(`Impatient ${i}`);
      const items = [{ productId: product.id, quantity: 1 + (i % 3) }];
      const key = crypto.randomUUID();
      const startedAt = performance.now();
      const place = () => shop.now().order(person.id, items, { key });
      const answers = await Promise.all(Array.from({ length: atOnce }, place));
      times.push(performance.now() - startedAt);
      seen.refused += answers.filter(({ status }) => status !== 200).length;
      seen.bodies += new Set(answers.map(({ text }) => text)).size;
      const orders = await shop.now().call<{ orders: unknown[] }>("GET", `/v1/users/${person.id}/orders`);
      seen.orders += orders.body.orders.length;
      const orderId = answers.find(({ status }) => status === 200)?.body.order.id;
      const fate = { ends: [confirmed], cancelAfterMs: undefined, orderId, final: undefined };
      wishes.push({ key, userId: person.id, email: person.email, items, token: "tok_visa", ...fate });
    }
    await Promise.all(wishes.map((wish) => settle(shop.now, wish)));
    const charges = await shop.now().charges();
    findings.figure("calls", storms * atOnce);
    findings.figure("50 calls of one key, slowest, ms", Math.round(Math.max(...times)));
    findings.count("calls without an order", seen.refused, 0);
    findings.count("distinct answers", seen.bodies, storms);
    findings.count("orders", seen.orders, storms);
    findings.count("charges", charges.length, storms);
    await auditBooks(shop.now(), wishes, shelf, findings);
  },
};
