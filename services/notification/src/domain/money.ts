/** An amount in the smallest unit of its currency. */
export interface Money {
  /** ISO 4217. */
  readonly currencyCode: string;
  readonly minorUnits: bigint;
}

/** As people read it: 123456 USD is "$1,234.56", 500 JPY "¥500". Exact for every amount. */
export function formatMoney({ currencyCode, minorUnits }: Money): string {
  const format = new Intl.NumberFormat("en-US", { style: "currency", currency: currencyCode });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const magnitude = String(minorUnits < 0n ? -minorUnits : minorUnits).padStart(digits + 1, "0");
  const whole = magnitude.slice(0, magnitude.length - digits);
  const fraction = magnitude.slice(magnitude.length - digits);
  // A decimal in text keeps its precision where a number would lose it.
  return format.format(`${minorUnits < 0n ? "-" : ""}${whole}${digits > 0 ? `.${fraction}` : ""}` as `${number}`);
}
