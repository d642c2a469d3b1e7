import { AsyncLocalStorage } from "node:async_hooks";
import type { ConnectRouter, Interceptor, StreamResponse } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { headers } from "@weft/context";
import type { FastifyInstance } from "fastify";
import { runEdgeCall } from "../forward/index.ts";

export interface RpcOptions {
  readonly register: (router: ConnectRouter) => void;
  /** Paths that the services' methods stand under: "/shop.user.v1.UserService/". */
  readonly prefixes: readonly string[];
  readonly maxMessageBytes: number;
  /** Says that every call is to end. */
  readonly shutdown: AbortSignal;
}

/** Connect and gRPC-Web, on the port of REST. */
export function registerRpc(app: FastifyInstance, options: RpcOptions): void {
  const handle = connectNodeAdapter({
    routes: options.register,
    interceptors: [edgeLayer],
    readMaxBytes: options.maxMessageBytes,
    grpc: false,
    shutdownSignal: options.shutdown,
  });
  app.register(async (scope) => {
    // The handler reads the body itself, as its protocol says.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const prefix of options.prefixes) {
      scope.all(`${prefix}*`, (request, reply) => {
        // Connect makes a URL of it, and a handler that throws after the hijack leaves its caller without an answer.
        if (!URL.canParse(`http://${request.headers.host ?? "localhost"}`)) return reply.code(400).send();
        reply.hijack();
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value);
        }
        request.raw.headers[headers.correlationId] = request.id;
        handle(request.raw, reply.raw);
      });
    }
  });
}

/** The call's span and context, until its last message is out. */
const edgeLayer: Interceptor = (next) => (request) => {
  const scope = `${request.service.typeName}/${request.method.name}`;
  const edge = {
    name: scope,
    attributes: {
      "rpc.system.name": "connectrpc",
      "rpc.method": `${request.service.typeName}/${request.method.name}`,
    },
    correlationId: request.header.get(headers.correlationId) ?? "",
    signal: request.signal,
    timeoutMs: undefined,
    header: (name: string) => request.header.get(name) ?? undefined,
  };
  return new Promise((resolve, reject) => {
    runEdgeCall(edge, async () => {
      const response = await next(request);
      if (!response.stream) return resolve(response);
      const ended = Promise.withResolvers<void>();
      request.signal.addEventListener("abort", () => ended.resolve(), { once: true });
      resolve({ ...response, message: inContext(response.message, ended) } as StreamResponse);
      await ended.promise;
    }).catch(reject);
  });
};

/** A stream that is pulled in the context of now, and says when it ended and how. */
async function* inContext<T>(messages: AsyncIterable<T>, ended: PromiseWithResolvers<void>): AsyncGenerator<T> {
  const run = AsyncLocalStorage.snapshot();
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (let at = await run(() => iterator.next()); !at.done; at = await run(() => iterator.next())) yield at.value;
  } catch (error) {
    ended.reject(error);
    throw error;
  } finally {
    await iterator.return?.();
    ended.resolve();
  }
}
