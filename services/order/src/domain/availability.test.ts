import { describe, expect, it } from "vitest";
import { priced, type Quote, shortage } from "./availability.ts";
import { ProductNotFoundError } from "./refusals.ts";

const quote = (productId: string, minorUnits: bigint, left: number): Quote => ({
  productId,
  left,
  unitPrice: { currencyCode: "USD", minorUnits },
});
const quotes = [quote("tea", 400n, 3), quote("mug", 1250n, 10)];

describe("what a customer wishes", () => {
  it("gets the catalogue's prices, in the customer's order", () => {
    const wishes = [
      { productId: "mug", quantity: 2 },
      { productId: "tea", quantity: 1 },
    ];
    expect(priced(wishes, quotes)).toEqual([
      { productId: "mug", quantity: 2, unitPrice: { currencyCode: "USD", minorUnits: 1250n } },
      { productId: "tea", quantity: 1, unitPrice: { currencyCode: "USD", minorUnits: 400n } },
    ]);
  });

  it("is refused by name when the catalogue has no price for it", () => {
    expect(() => priced([{ productId: "unicorn", quantity: 1 }], quotes)).toThrow(ProductNotFoundError);
    expect(() => priced([{ productId: "unicorn", quantity: 1 }], quotes)).toThrow(/unicorn/);
  });

  it("is short of each product of which there is less, and the words say what is left", () => {
    const wishes = [
      { productId: "tea", quantity: 4 },
      { productId: "mug", quantity: 11 },
    ];
    expect(shortage(wishes, quotes)?.message).toBe(
      "there is not enough stock of tea (4 ordered, 3 left), mug (11 ordered, 10 left)",
    );
  });

  it("is not short of the last piece", () => {
    expect(shortage([{ productId: "tea", quantity: 3 }], quotes)).toBeUndefined();
  });
});
