import type { DescMessage, DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type FieldsInit, fieldsOfInit } from "../fields.ts";
import { binaryCodec, type Codec } from "../protobuf/codec.ts";

/** A method that is called, with what all of its calls have in common. */
export interface ClientMethod {
  readonly method: DescMethod;
  readonly input: Codec<DescMessage>;
  readonly output: Codec<DescMessage>;
  /** The header list that never changes; the second for callers that bring a user agent of their own. */
  readonly same: readonly string[];
  readonly sameWithoutAgent: readonly string[];
}

export interface Target {
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly compress: boolean;
}

const userAgent = "grpc-node-weft/0.1.0";

export function clientMethod(method: DescMethod, { scheme, authority, compress }: Target): ClientMethod {
  const sameWithoutAgent = [
    ...[":method", "POST", ":scheme", scheme, ":path", `/${method.parent.typeName}/${method.name}`],
    ...[":authority", authority, "te", "trailers", "content-type", "application/grpc"],
    ...(compress ? ["grpc-encoding", "gzip"] : []),
    ...["grpc-accept-encoding", "gzip,identity"],
  ];
  return {
    method,
    input: binaryCodec(method.input),
    output: binaryCodec(method.output),
    same: [...sameWithoutAgent, "user-agent", userAgent],
    sameWithoutAgent,
  };
}

/** The header list of one call: what it has in common with others, and what it has not. */
export function requestFields(
  { same, sameWithoutAgent }: ClientMethod,
  header: FieldsInit,
): { readonly same: readonly string[]; readonly fields: readonly string[] } {
  const fields = fieldsOfInit(header, []);
  return { same: fields.includes("user-agent") ? sameWithoutAgent : same, fields };
}

/** A message's octets; throws ConnectError when it is not what the contract says, or too large to be sent. */
export function encodeRequest(
  { method, input }: ClientMethod,
  message: MessageInitShape<DescMessage>,
  maxMessageBytes: number,
): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = input.write(message);
  } catch (error) {
    throw ConnectError.from(error, Code.Internal);
  }
  if (bytes.length <= maxMessageBytes) return bytes;
  const limit = `the ${maxMessageBytes} allowed`;
  throw new ConnectError(
    `a ${method.input.typeName} of ${bytes.length} octets is larger than ${limit}`,
    Code.ResourceExhausted,
  );
}
