/** An amount in the smallest unit of its currency: 1250n USD is 12.50 dollars. */
export interface Money {
  /** ISO 4217. */
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** What an int64, and so a contract and a database, can hold. */
const largest = 2n ** 63n - 1n;

export function times(price: Money, quantity: number): Money {
  return bounded({ ...price, minorUnits: price.minorUnits * BigInt(quantity) });
}

/** Throws MixedCurrenciesError, AmountTooLargeError, and a RangeError for no amounts at all: nothing has no currency. */
export function sum(amounts: readonly Money[]): Money {
  const [first, ...others] = amounts;
  if (!first) throw new RangeError("the sum of no amounts has no currency");
  let minorUnits = first.minorUnits;
  for (const amount of others) {
    if (amount.currencyCode !== first.currencyCode) {
      throw new MixedCurrenciesError(first.currencyCode, amount.currencyCode);
    }
    minorUnits += amount.minorUnits;
  }
  return bounded({ currencyCode: first.currencyCode, minorUnits });
}

function bounded(amount: Money): Money {
  if (amount.minorUnits > largest) throw new AmountTooLargeError();
  return amount;
}

export class MixedCurrenciesError extends Error {
  override readonly name = "MixedCurrenciesError";
  constructor(one: string, other: string) {
    super(`an order has one currency, and its products are priced in ${one} and ${other}: order them separately`);
  }
}

export class AmountTooLargeError extends Error {
  override readonly name = "AmountTooLargeError";
  constructor() {
    super("the order's total is larger than can be charged: order less");
  }
}
