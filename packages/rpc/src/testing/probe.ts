import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  createClient,
  type HandlerContext,
  type ServiceImpl,
  type Transport,
} from "@connectrpc/connect";
import { type ConnectionOptions, connect, type Listener, type ListenerOptions, listen } from "../index.ts";

const text = ".google.protobuf.StringValue";
const file = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "weft/rpc/probe.proto",
    package: "weft.rpc.test",
    syntax: "proto3",
    dependency: ["google/protobuf/wrappers.proto", "google/protobuf/struct.proto"],
    service: [
      {
        name: "Probe",
        method: [
          { name: "Ask", inputType: text, outputType: text },
          { name: "Watch", inputType: text, outputType: text, serverStreaming: true },
          { name: "Collect", inputType: text, outputType: text, clientStreaming: true },
          { name: "Nest", inputType: ".google.protobuf.ListValue", outputType: text },
          { name: "Talk", inputType: text, outputType: text, clientStreaming: true, serverStreaming: true },
        ],
      },
    ],
  }),
  (name) => (name === "google/protobuf/struct.proto" ? file_google_protobuf_struct : file_google_protobuf_wrappers),
);
const Probe = file.getService("weft.rpc.test.Probe") as DescService;

/** A message of the service: `google.protobuf.StringValue`. */
export interface Text {
  value?: string;
}

/** What the descriptor says, for the compiler: it is made at run time. */
export interface ProbeClient {
  ask(request: Text, options?: CallOptions): Promise<{ value: string }>;
  watch(request: Text, options?: CallOptions): AsyncIterable<{ value: string }>;
  collect(requests: AsyncIterable<Text>, options?: CallOptions): Promise<{ value: string }>;
  talk(requests: AsyncIterable<Text>, options?: CallOptions): AsyncIterable<{ value: string }>;
}

export interface ProbeHandlers {
  ask?(request: { value: string }, context: HandlerContext): Text | Promise<Text>;
  watch?(request: { value: string }, context: HandlerContext): AsyncIterable<Text>;
  /** Takes a `google.protobuf.ListValue`, which may hold itself. */
  nest?(request: object): Text;
  collect?(requests: AsyncIterable<{ value: string }>, context: HandlerContext): Promise<Text>;
  talk?(requests: AsyncIterable<{ value: string }>, context: HandlerContext): AsyncIterable<Text>;
}

const open: (() => unknown)[] = [];

/** Closes what the test opened, the last first. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

/** To be called by closeAll. */
export function closing(close: () => unknown): void {
  open.push(close);
}

/** A server with the methods that are given, on a free port. */
export async function serveProbe(handlers: ProbeHandlers, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const server = await listen({
    host: "127.0.0.1",
    port: 0,
    ...options,
    routes: (router) => void router.service(Probe, handlers as ServiceImpl<typeof Probe>),
  });
  closing(() => server.close());
  return server;
}

/** A client with a connection of its own. */
export function clientOf(port: number, options: Partial<ConnectionOptions> = {}): ProbeClient {
  const connection = connect({ host: "127.0.0.1", port, ...options });
  closing(() => connection.close());
  return clientOver(connection.transport);
}

export function clientOver(transport: Transport): ProbeClient {
  return createClient(Probe, transport) as unknown as ProbeClient;
}
