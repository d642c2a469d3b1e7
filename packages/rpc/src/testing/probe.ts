import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_empty } from "@bufbuild/protobuf/wkt";
import { type CallOptions, createClient, type ServiceImpl } from "@connectrpc/connect";
import { connect, type Listener, listen } from "../index.ts";

const empty = ".google.protobuf.Empty";
const file = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "weft/rpc/probe.proto",
    package: "weft.rpc.test",
    syntax: "proto3",
    dependency: ["google/protobuf/empty.proto"],
    service: [
      {
        name: "Probe",
        method: [
          { name: "Ask", inputType: empty, outputType: empty },
          { name: "Watch", inputType: empty, outputType: empty, serverStreaming: true },
        ],
      },
    ],
  }),
  () => file_google_protobuf_empty,
);
const Probe = file.getService("weft.rpc.test.Probe") as DescService;

/** What the descriptor says, for the compiler: it is made at run time. */
export interface ProbeClient {
  ask(request: object, options?: CallOptions): Promise<object>;
  watch(request: object, options?: CallOptions): AsyncIterable<object>;
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

/** A server with the two methods on a free port. */
export async function serveProbe(handlers: object, host = "127.0.0.1"): Promise<Listener> {
  const server = await listen({
    host,
    port: 0,
    routes: (router) => void router.service(Probe, handlers as ServiceImpl<typeof Probe>),
  });
  closing(() => server.close());
  return server;
}

/** A client with a connection of its own. */
export function clientOf(port: number, host = "127.0.0.1"): ProbeClient {
  const connection = connect({ host, port });
  closing(() => connection.close());
  return createClient(Probe, connection.transport) as unknown as ProbeClient;
}
