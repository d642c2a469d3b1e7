import { createHash, randomBytes } from "node:crypto";

/** A UUID of version 7 (RFC 9562): ids of one time lie together in an index. */
export function createEventId(nowMs: number = Date.now(), random: (bytes: number) => Buffer = randomBytes): string {
  const bytes = Buffer.concat([Buffer.alloc(6), random(10)]);
  bytes.writeUIntBE(nowMs, 0, 6);
  return format(bytes, 7);
}

/** An id for something that carries none: the same name gives the same id (RFC 9562, version 8). */
export function deriveEventId(name: string): string {
  return format(createHash("sha256").update(name).digest().subarray(0, 16), 8);
}

export function isEventId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

function format(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (version << 4), 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
