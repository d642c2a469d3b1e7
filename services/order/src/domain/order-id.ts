import { createHash } from "node:crypto";

/**
 * The id of the order that a user places under an idempotency key: the same for the same two, whoever computes it and
 * however often, so that a retry reserves stock for the order that it is a retry of. A UUID of version 8 (RFC 9562, 5.8), its
 * bits from SHA-256.
 */
export function orderIdOf(userId: string, key: string): string {
  const bytes = createHash("sha256")
    .update(JSON.stringify(["shop.order.v1", userId, key]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
