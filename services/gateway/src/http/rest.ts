import type { OutgoingHttpHeaders } from "node:http";
import { type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { headers } from "@weft/context";
import type { Span } from "@weft/telemetry";
import type { FastifyReply, FastifyRequest } from "fastify";
import { copyOutward, type Forwarder, runEdgeCall } from "../forward/index.ts";
import {
  BadRequestError,
  errorAnswer,
  findRoute,
  httpErrorAnswer,
  isBadRequest,
  type Route,
  toMessage,
} from "../transcoding/index.ts";
import { readJson } from "./json-body.ts";
import { sendAnswer } from "./send-answer.ts";
import { sendStream } from "./stream.ts";
import { readTarget } from "./target.ts";

/** Zero values are told as well: a caller of REST has no contract at hand to know them from. */
const jsonOptions = { alwaysEmitImplicit: true } as const;

export interface RestOptions {
  readonly forwarder: Forwarder;
  /** Hears of errors that nothing expected, in the context of the call that failed. */
  readonly onError: (error: unknown) => void;
}

/** Answers every REST request: finds its route, reads its message, calls the mesh, and tells the answer or the error as JSON. */
export function restHandler(routes: readonly Route[], options: RestOptions) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const target = readTarget(request.raw.url ?? "");
    const found = findRoute(routes, request.method === "HEAD" ? "GET" : request.method, target.path);
    switch (found.kind) {
      case "no-path":
        return sendAnswer(reply, httpErrorAnswer(404, Code.NotFound, `there is no ${target.path} here`));
      case "other-method": {
        reply.header("allow", found.allow.join(", "));
        const message = `${target.path} is for ${found.allow.join(", ")}`;
        return sendAnswer(reply, httpErrorAnswer(405, Code.Unimplemented, message));
      }
      case "found":
        return answerRoute(found.route, found.captures, target.query, options, request, reply);
    }
  };
}

async function answerRoute(
  route: Route,
  captures: ReadonlyMap<string, string>,
  query: URLSearchParams,
  { forwarder, onError }: RestOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const aborted = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) aborted.abort(new ConnectError("the caller went away", Code.Canceled));
  });
  const edge = {
    name: `${request.method} ${route.template.text}`,
    attributes: { "http.request.method": request.method, "http.route": route.template.text },
    correlationId: request.id,
    signal: aborted.signal,
    header: (name: string) => header(request, name),
  };
  try {
    const timeoutMs = requestTimeout(edge.header("x-request-timeout"));
    const answer = async (span: Span): Promise<void> => {
      const body = readJson(request.headers["content-type"], request.body);
      if ("httpStatus" in body) return sendAnswer(reply, body);
      const message = toMessage(route, { captures, query, body: body.json });
      const options = callOptions(edge.header, reply, aborted.signal, timeoutMs);
      if (route.method.methodKind === "server_streaming") {
        const messages = forwarder.stream(route.method, message, options);
        await sendStream(request, reply, route, messages, (each) => json(route, each));
      } else {
        const response = await forwarder.unary(route.method, message, options);
        await reply.send(json(route, response));
      }
      span.setAttribute("http.response.status_code", reply.statusCode);
    };
    await runEdgeCall({ ...edge, timeoutMs }, (span) =>
      answer(span).catch((error: unknown) => {
        if (isUnexpected(error) && !aborted.signal.aborted) onError(error);
        throw error;
      }),
    );
  } catch (error) {
    if (!reply.sent) sendAnswer(reply, errorAnswer(error, route));
  }
}

/** Neither the caller's fault nor a service's answer. */
function isUnexpected(error: unknown): boolean {
  return !isBadRequest(error) && !(error instanceof ConnectError);
}

function json(route: Route, message: Message): JsonValue {
  return toJson(route.method.output, message, jsonOptions);
}

function callOptions(
  get: (name: string) => string | undefined,
  reply: FastifyReply,
  signal: AbortSignal,
  timeoutMs: number | undefined,
): CallOptions {
  const inward = new Headers();
  for (const name of [headers.idempotencyKey, "authorization"]) {
    const value = get(name);
    if (value !== undefined) inward.set(name, value);
  }
  const outward = (from: Headers): void => {
    const to = new Headers();
    copyOutward(from, to);
    if (!reply.raw.headersSent) for (const [name, value] of to) reply.header(name, value);
  };
  return { headers: inward, signal, onHeader: outward, ...(timeoutMs !== undefined && { timeoutMs }) };
}

/** Milliseconds that the caller gives the call. */
function requestTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new BadRequestError([{ field: "x-request-timeout", description: "must be a number of milliseconds, above 0" }]);
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value: OutgoingHttpHeaders[string] = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value === undefined ? undefined : String(value);
}
