import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Product, ProductNotFoundError, restock, StockLimitError, stockLimit } from "./product.ts";
import { move, StockShortError, sameItems } from "./stock.ts";

describe("a move of stock", () => {
  it("sets aside, gives back, sells and puts back", () => {
    const items = [{ productId: "beans", quantity: 3 }];
    const levels = (kind: Parameters<typeof move>[2]) => {
      const [after] = move([product("beans", 10, 4)], items, kind);
      return [after?.stock, after?.reserved];
    };
    expect(levels("hold")).toEqual([10, 7]);
    expect(levels("free")).toEqual([10, 1]);
    expect(levels("take")).toEqual([7, 1]);
    expect(levels("sell")).toEqual([7, 4]);
    expect(levels("putBack")).toEqual([13, 4]);
  });

  it("names every product that is short, with what is left", () => {
    const products = [product("beans", 10, 8), product("kettle", 5, 0), product("press", 0, 0)];
    const items = products.map(({ id }) => ({ productId: id, quantity: 3 }));
    expect(() => move(products, items, "hold")).toThrow(
      new StockShortError([
        { productId: "beans", wanted: 3, left: 2 },
        { productId: "press", wanted: 3, left: 0 },
      ]),
    );
    expect(() => move(products, items, "hold")).toThrow(
      "too little stock of beans (3 wanted, 2 left), press (3 wanted, 0 left)",
    );
  });

  it("names every product that doesn't exist", () => {
    const items = ["beans", "gold", "silver"].map((productId) => ({ productId, quantity: 1 }));
    expect(() => move([product("beans", 1, 0)], items, "hold")).toThrow(new ProductNotFoundError(["gold", "silver"]));
  });

  it("counts a product that is named twice twice", () => {
    const twice = [
      { productId: "beans", quantity: 1 },
      { productId: "beans", quantity: 1 },
    ];
    expect(() => move([product("beans", 1, 0)], twice, "hold")).toThrow(StockShortError);
  });

  it("never leaves more in reserve than in stock, and is undone by its opposite", () => {
    const level = fc.nat(20).chain((stock) => fc.record({ stock: fc.constant(stock), reserved: fc.nat(stock) }));
    fc.assert(
      fc.property(level, fc.integer({ min: 1, max: 25 }), ({ stock, reserved }, quantity) => {
        const before = product("beans", stock, reserved);
        const items = [{ productId: "beans", quantity }];
        if (quantity > stock - reserved) {
          expect(() => move([before], items, "hold")).toThrow(StockShortError);
          return;
        }
        const holding = move([before], items, "hold");
        for (const { stock, reserved } of holding) expect(reserved).toBeLessThanOrEqual(stock);
        expect(move(holding, items, "free")).toEqual([before]);
        expect(move(move(holding, items, "take"), items, "putBack")).toEqual([before]);
        expect(move(holding, items, "take")).toEqual(move([before], items, "sell"));
      }),
    );
  });
});

describe("the same items", () => {
  const item = fc.record({
    productId: fc.constantFrom("beans", "kettle", "press"),
    quantity: fc.integer({ min: 1, max: 12 }),
  });
  const items = fc.uniqueArray(item, { selector: ({ productId }) => productId });

  it("are the same in any order", () => {
    fc.assert(
      fc.property(items, (items) => {
        expect(sameItems(items, items.toReversed())).toBe(true);
      }),
    );
  });

  it("are others when a quantity or a product differs", () => {
    fc.assert(
      fc.property(items, fc.nat(2), (items, i) => {
        const changed = items.map((item, j) => (i === j ? { ...item, quantity: item.quantity + 1 } : item));
        expect(sameItems(items, changed)).toBe(i >= items.length);
        expect(sameItems(items, [...items, { productId: "scale", quantity: 1 }])).toBe(false);
      }),
    );
  });
});

describe("a delivery", () => {
  it("adds to the stock and leaves the reserve", () => {
    expect(restock(product("beans", 5, 2), 10)).toMatchObject({ stock: 15, reserved: 2 });
  });

  it("is refused beyond what a product may have", () => {
    expect(restock(product("beans", stockLimit - 1, 0), 1).stock).toBe(stockLimit);
    expect(() => restock(product("beans", stockLimit, 0), 1)).toThrow(StockLimitError);
  });
});

function product(id: string, stock: number, reserved: number): Product {
  return { id, name: id, description: "", price: { currencyCode: "USD", minorUnits: 100n }, stock, reserved };
}
