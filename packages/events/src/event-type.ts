import { createHash } from "node:crypto";
import { type DescMessage, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** A domain event as its contract declares it; generated code has one beside each event message. */
export interface EventType<Desc extends DescMessage = DescMessage> {
  readonly schema: Desc;
  /** The message's full name, such as "shop.order.v1.OrderCreated". */
  readonly subject: string;
  /** The stream of the contract's package, such as "SHOP_ORDER_V1". */
  readonly stream: string;
  /** The local name of the field whose value orders the events. */
  readonly key: string;
}

/** "shop.order.v1" of "shop.order.v1.OrderCreated". */
export function packageOf(subject: string): string {
  return subject.slice(0, subject.lastIndexOf("."));
}

const hashes = new WeakMap<DescMessage, string>();

/** Tells which revision of its contract's file an event was encoded by: 16 hexadecimal digits of SHA-256. */
export function schemaHash(schema: DescMessage): string {
  let hash = hashes.get(schema);
  if (hash === undefined) {
    const file = toBinary(FileDescriptorProtoSchema, schema.file.proto);
    hash = createHash("sha256").update(file).digest("hex").slice(0, 16);
    hashes.set(schema, hash);
  }
  return hash;
}
