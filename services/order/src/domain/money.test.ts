import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AmountTooLargeError, MixedCurrenciesError, type Money, sum, times } from "./money.ts";

const usd = (minorUnits: bigint): Money => ({ currencyCode: "USD", minorUnits });
const amounts = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 100 });

describe("money", () => {
  it("adds amounts to the unit, in any order, beyond what a double can hold", () => {
    fc.assert(
      fc.property(amounts, fc.bigInt({ min: 0n, max: 2n ** 60n }), (units, large) => {
        const all = [...units, large];
        const expected = usd(all.reduce((total, each) => total + each, 0n));
        expect(sum(all.map(usd))).toEqual(expected);
        expect(sum(all.toReversed().map(usd))).toEqual(expected);
      }),
    );
  });

  it("multiplies as repeated addition does", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.integer({ min: 1, max: 200 }), (price, quantity) => {
        expect(times(usd(price), quantity)).toEqual(sum(Array.from({ length: quantity }, () => usd(price))));
      }),
    );
  });

  it("never mixes two currencies, and names both", () => {
    const mixed = () => sum([usd(1n), usd(2n), { currencyCode: "EUR", minorUnits: 3n }]);
    expect(mixed).toThrow(MixedCurrenciesError);
    expect(mixed).toThrow(/USD and EUR/);
  });

  it("refuses what an int64 can't hold, up to the unit", () => {
    const largest = 2n ** 63n - 1n;
    expect(sum([usd(largest - 1n), usd(1n)])).toEqual(usd(largest));
    expect(() => sum([usd(largest), usd(1n)])).toThrow(AmountTooLargeError);
    expect(() => times(usd(largest / 2n), 3)).toThrow(AmountTooLargeError);
  });

  it("knows no sum of nothing", () => {
    expect(() => sum([])).toThrow(RangeError);
  });
});
