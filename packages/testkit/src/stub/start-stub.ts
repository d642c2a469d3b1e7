import { randomUUID } from "node:crypto";
import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { Lease, Registry } from "@weft/registry";
import { listen } from "@weft/rpc";
import type { Example, ServiceStub } from "../examples/example.ts";
import { answersOf, findExample } from "./answer.ts";

export interface StubOptions {
  /** Where the stub registers itself as an instance of its service, so that a mesh finds it. */
  readonly registry?: Registry;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, which takes a free one. */
  readonly port?: number;
  /** Makes the ids that an example leaves open. */
  readonly newUuid?: () => string;
}

/** A call that a stub answered. */
export interface StubbedCall {
  readonly method: DescMethod;
  readonly request: Message;
  readonly headers: Headers;
  readonly example: Example;
}

export interface RunningStub {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`, for gRPC, gRPC-Web and Connect over HTTP/2. */
  readonly url: string;
  /** What it answered so far, oldest first. */
  readonly calls: readonly StubbedCall[];
  /** Leaves the registry and ends every connection. */
  close(): Promise<void>;
}

/**
 * Serves a service's examples over the network: a request that one of them has gets its answer, and any other gets
 * UNIMPLEMENTED with the list of those that exist. Rejects when the port can't be opened.
 */
export async function startStub<S extends DescService>(
  stub: ServiceStub<S>,
  options: StubOptions = {},
): Promise<RunningStub> {
  const { host = "127.0.0.1", port = 0, newUuid = randomUUID, registry } = options;
  const calls: StubbedCall[] = [];
  const take = (
    method: DescMethod,
    request: Message,
    context: HandlerContext,
  ): Example & { messages: Iterable<Message> } => {
    const matched = findExample(stub.examples.examples, method, request);
    calls.push({ method, request, headers: context.requestHeader, example: matched.example });
    return { ...matched.example, messages: answersOf(matched, newUuid) };
  };
  const listener = await listen({ host, port, routes: (router) => route(router, stub.service, take) });
  let lease: Lease | undefined;
  try {
    const instance = `stub-${listener.port}`;
    const registration = { service: stub.service.typeName, instance, host, port: listener.port, metadata: {} };
    lease = await registry?.register(registration);
  } catch (error) {
    await listener.close();
    throw error;
  }
  return {
    host,
    port: listener.port,
    url: `http://${host}:${listener.port}`,
    calls,
    async close() {
      await lease?.release();
      await listener.close();
    },
  };
}

type Take = (
  method: DescMethod,
  request: Message,
  context: HandlerContext,
) => Example & { messages: Iterable<Message> };

function route(router: ConnectRouter, service: DescService, take: Take): void {
  for (const method of service.methods) {
    if (method.methodKind === "unary") {
      router.rpc(method as DescMethod & { methodKind: "unary" }, (request, context) => {
        const [message] = take(method, request, context).messages;
        return message ?? {};
      });
    } else if (method.methodKind === "server_streaming") {
      router.rpc(method as DescMethod & { methodKind: "server_streaming" }, async function* (request, context) {
        const { messages, answer } = take(method, request, context);
        yield* messages;
        if (answer.kind === "responses" && answer.open) await aborted(context.signal);
      });
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
