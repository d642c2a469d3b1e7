import type { AddressInfo } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { Code, type ConnectRouter, cors as connectCors } from "@connectrpc/connect";
import cors from "@fastify/cors";
import { headers } from "@weft/context";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { correlationIdOf, type Forwarder, forwardingImplementation } from "../forward/index.ts";
import { errorAnswer, httpErrorAnswer, isBadRequest, routesOf, statuses } from "../transcoding/index.ts";
import { reportFailure } from "./report-failure.ts";
import { restHandler } from "./rest.ts";
import { registerRpc } from "./rpc.ts";
import { sendAnswer } from "./send-answer.ts";

/** No request's body is longer, in bytes. */
const maxBodyBytes = 1024 * 1024;

export interface EdgeOptions {
  readonly services: readonly DescService[];
  readonly forwarder: Forwarder;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Origins whose pages may call; "*" means every one. */
  readonly corsOrigins: readonly string[];
  /** Hears of errors that nothing expected, in the context of the call that failed. */
  readonly onError: (error: unknown) => void;
}

export interface Edge {
  readonly port: number;
  /** Takes no new call, lets running ones end for at most `graceMs`, and closes. */
  close(graceMs?: number): Promise<void>;
}

/** Opens the port for REST, Connect and gRPC-Web. Rejects when it can't be opened. */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const shutdown = new AbortController();
  const app = Fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    genReqId: (request) => correlationIdOf([request.headers[headers.correlationId]].flat()[0]),
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, options),
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => answerError(error, request, reply, options));
  app.addHook("onRequest", async (request, reply) => {
    reply.header(headers.correlationId, request.id);
  });
  await app.register(cors, corsOptions(options.corsOrigins));
  registerRpc(app, {
    register: (router) => register(router, options),
    prefixes: options.services.map(({ typeName }) => `/${typeName}/`),
    maxMessageBytes: maxBodyBytes,
    shutdown: shutdown.signal,
  });
  registerRest(app, options);
  await app.listen({ host: options.host, port: options.port });
  return {
    port: (app.server.address() as AddressInfo).port,
    async close(graceMs = 10_000) {
      const closed = app.close();
      const { promise: timeUp, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([closed, timeUp]);
      clearTimeout(timer);
      shutdown.abort();
      app.server.closeAllConnections();
      await closed;
    },
  };
}

function registerRest(app: FastifyInstance, options: EdgeOptions): void {
  const handle = restHandler(routesOf(options.services), options);
  app.removeAllContentTypeParsers();
  // Whether a body fits is for the route to say, and no route is found before the body is here.
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler(handle);
}

function register(router: ConnectRouter, { services, forwarder }: EdgeOptions): void {
  for (const service of services) router.service(service, forwardingImplementation(service, forwarder));
}

function corsOptions(origins: readonly string[]) {
  const rest = [headers.idempotencyKey, headers.correlationId, "authorization", "traceparent", "x-request-timeout"];
  return {
    origin: origins.includes("*") ? "*" : [...origins],
    strictPreflight: false,
    methods: [...connectCors.allowedMethods, "PUT", "PATCH", "DELETE"],
    allowedHeaders: [...connectCors.allowedHeaders, ...rest],
    exposedHeaders: [...connectCors.exposedHeaders, headers.correlationId, headers.idempotentReplay],
    maxAge: 7_200,
  };
}

/** Fastify's own errors have a status, a bad target names itself; anything else is ours. */
function answerError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  { onError }: EdgeOptions,
): void | Promise<void> {
  if (isBadRequest(error)) return sendAnswer(reply, errorAnswer(error));
  const status = error.statusCode ?? 500;
  if (status < 500) return sendAnswer(reply, httpErrorAnswer(status, codeOf(status), error.message));
  return reportFailure(request, error, onError).finally(() => sendAnswer(reply, errorAnswer(error)));
}

function codeOf(httpStatus: number): Code {
  if (httpStatus === 413) return Code.ResourceExhausted;
  const found = Object.entries(statuses).find(([, { http }]) => http === httpStatus);
  return found === undefined ? Code.InvalidArgument : (Number(found[0]) as Code);
}
