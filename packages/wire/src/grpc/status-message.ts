const plain = /^[ -$&-~]*$/;

/** A `grpc-message` as it stands in a trailer: UTF-8, with all but the printable characters of ASCII, and "%", in percent-encoding. */
export function encodeStatusMessage(text: string): string {
  if (plain.test(text)) return text;
  let encoded = "";
  for (const octet of Buffer.from(text)) {
    const character = String.fromCharCode(octet);
    encoded += plain.test(character) ? character : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** The other way. What is no percent-encoding stays as it is, since a message must not be lost for it. */
export function decodeStatusMessage(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  const octets = encoded.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(octets, "latin1").toString("utf8");
}
