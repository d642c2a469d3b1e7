import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  type Message,
  type MessageInitShape,
  type MessageShape,
  type Registry,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { encodePlain } from "./encoder.ts";

/** How the messages of a type are written, in one of gRPC's two formats. */
export interface Codec<D extends DescMessage> {
  read(bytes: Uint8Array): MessageShape<D>;
  write(message: MessageInitShape<D>): Uint8Array;
}

export function binaryCodec<D extends DescMessage>(schema: D): Codec<D> {
  return {
    read: (bytes) => fromBinary(schema, bytes),
    write: (message) => encodePlain(schema, message) ?? toBinary(schema, create(schema, message)),
  };
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
