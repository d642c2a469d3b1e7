/** The value of a `-bin` field: base64 without padding, as gRPC writes it. */
export function encodeBinary(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64").replace(/=+$/, "");
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The values that a `-bin` field has, between commas, with padding or without; undefined for what is no base64. */
export function decodeBinary(field: string): readonly Buffer[] | undefined {
  const values: Buffer[] = [];
  for (const part of field.split(",")) {
    const text = part.trim();
    const digits = text.replace(/=+$/, "").length;
    // A single digit has not even the 8 bits of an octet, and padding fills up to four.
    if (!base64.test(text) || digits % 4 === 1 || (digits < text.length && text.length % 4 !== 0)) return undefined;
    values.push(Buffer.from(text, "base64"));
  }
  return values;
}
