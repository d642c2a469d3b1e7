import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatMoney } from "./money.ts";

describe("an amount", () => {
  it.each([
    ["USD", 0n, "$0.00"],
    ["USD", 5n, "$0.05"],
    ["USD", 1250n, "$12.50"],
    ["USD", 123456789n, "$1,234,567.89"],
    ["USD", -1250n, "-$12.50"],
    ["EUR", 100n, "€1.00"],
    ["JPY", 500n, "¥500"],
    ["USD", 9223372036854775807n, "$92,233,720,368,547,758.07"],
  ])("%s %d is written %s", (currencyCode, minorUnits, written) => {
    expect(formatMoney({ currencyCode, minorUnits })).toBe(written);
  });

  it("loses no digit, however large", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (minorUnits) => {
        const digits = formatMoney({ currencyCode: "USD", minorUnits }).replaceAll(/\D/g, "");
        expect(BigInt(digits)).toBe(minorUnits);
      }),
    );
  });
});
