import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  type Message,
  type MessageInitShape,
  type MessageShape,
  type Registry,
  ScalarType,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { encodePlain } from "./encoder.ts";

const smallBytes = 512;

/** How the messages of a type are written, in one of gRPC's two formats. */
export interface Codec<D extends DescMessage> {
  read(bytes: Uint8Array): MessageShape<D>;
  write(message: MessageInitShape<D>): Uint8Array;
}

export function binaryCodec<D extends DescMessage>(schema: D): Codec<D> {
  const isView = holdsOctets(schema, new Set());
  return {
    // The library doesn't copy octet strings: whoever keeps a small one would keep all that came from the socket with it. For larger
    // messages a copy of each takes longer than what is kept is worth.
    read: (bytes) => fromBinary(schema, isView && bytes.length <= smallBytes ? new Uint8Array(bytes) : bytes),
    write: (message) => encodePlain(schema, message) ?? toBinary(schema, create(schema, message)),
  };
}

/** Whether messages of the type may have octet strings in them. */
function holdsOctets(schema: DescMessage, seen: Set<DescMessage>): boolean {
  if (seen.has(schema)) return false;
  seen.add(schema);
  return schema.fields.some((field) => {
    if ("scalar" in field && field.scalar === ScalarType.BYTES) return true;
    return field.message !== undefined && holdsOctets(field.message, seen);
  });
}

/** `registry` has the types that a `google.protobuf.Any` may hold. */
export function jsonCodec<D extends DescMessage>(schema: D, registry: Registry | undefined): Codec<D> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const options = registry === undefined ? {} : { registry };
  return {
    read: (bytes) => fromJsonString(schema, decoder.decode(bytes), { ...options, ignoreUnknownFields: true }),
    write: (message) =>
      Buffer.from(toJsonString(schema, create(schema, message) as MessageShape<D> & Message, options)),
  };
}
