import {
  create,
  type DescMessage,
  fromBinary,
  fromJsonString,
  type Message,
  type MessageInitShape,
  type MessageShape,
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

export function jsonCodec<D extends DescMessage>(schema: D): Codec<D> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return {
    read: (bytes) => fromJsonString(schema, decoder.decode(bytes), { ignoreUnknownFields: true }),
    write: (message) => Buffer.from(toJsonString(schema, create(schema, message) as MessageShape<D> & Message)),
  };
}
