import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescService,
  type FileRegistry,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type Any, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The suite's contracts are not ours: its runner's own `.proto` files are compiled when it runs, and named here by WEFT_CONFORMANCE. */
export const registry: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(process.env.WEFT_CONFORMANCE ?? "")),
);

const packageName = "connectrpc.conformance.v1";
export const ConformanceService = registry.getService(`${packageName}.ConformanceService`) as DescService;

export function messageType(name: string): DescMessage {
  const type = registry.getMessage(`${packageName}.${name}`);
  if (type === undefined) throw new Error(`the conformance suite has no message ${name}`);
  return type;
}

// What their descriptors say, for the compiler.

export interface Header {
  name: string;
  value: string[];
}

export interface ErrorDefinition {
  code: number;
  message?: string;
  details: Any[];
}

export interface UnaryDefinition {
  responseHeaders: Header[];
  responseTrailers: Header[];
  response:
    | { case: "responseData"; value: Uint8Array }
    | { case: "error"; value: ErrorDefinition }
    | { case: undefined };
  responseDelayMs: number;
}

export interface StreamDefinition {
  responseHeaders: Header[];
  responseTrailers: Header[];
  responseData: Uint8Array[];
  responseDelayMs: number;
  error?: ErrorDefinition;
}

export interface Request<Definition> {
  $typeName: string;
  responseDefinition?: Definition;
  fullDuplex?: boolean;
}

export interface ServerCompatRequest {
  useTls: boolean;
  clientTlsCert: Uint8Array;
  messageReceiveLimit: number;
  serverCreds?: { cert: Uint8Array; key: Uint8Array };
}

export interface ClientCompatRequest {
  testName: string;
  protocol: number;
  codec: number;
  compression: number;
  host: string;
  port: number;
  serverTlsCert: Uint8Array;
  clientTlsCreds?: { cert: Uint8Array; key: Uint8Array };
  messageReceiveLimit: number;
  service?: string;
  method?: string;
  requestHeaders: Header[];
  requestMessages: Any[];
  timeoutMs?: number;
  requestDelayMs: number;
  streamType: number;
  cancel?: {
    cancelTiming:
      | { case: "beforeCloseSend" }
      | { case: "afterCloseSendMs"; value: number }
      | { case: "afterNumResponses"; value: number }
      | { case: undefined };
  };
}

/** The runner's messages: each behind its length, in four octets. */
export async function* readMessages<T>(type: DescMessage, input: AsyncIterable<Buffer>): AsyncGenerator<T> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      yield fromBinary(type, rest.subarray(4, end)) as unknown as T;
      rest = rest.subarray(end);
    }
  }
}

export function writeMessage(type: DescMessage, message: object): void {
  const bytes = toBinary(type, create(type, message as MessageInitShape<DescMessage>));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  process.stdout.write(Buffer.concat([length, bytes]));
}

export function toHeaderList(headers: Headers): Header[] {
  return [...headers].map(([name, value]) => ({ name, value: value.split(", ") }));
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
