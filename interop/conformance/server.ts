import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { listen } from "@weft/rpc";
import {
  ConformanceService,
  type ErrorDefinition,
  type Header,
  messageType,
  type Request,
  readMessages,
  registry,
  type ServerCompatRequest,
  type StreamDefinition,
  sleep,
  toHeaderList,
  type UnaryDefinition,
  writeMessage,
} from "./protos.ts";

// The server under test of connectconformance: Weft's listener, as stdin says it is to be.

const RequestInfo = messageType("ConformancePayload.RequestInfo");

function pack(message: object): Any {
  const type = registry.getMessage((message as Message).$typeName) as DescMessage;
  return anyPack(type, message as Message);
}

function infoOf(context: HandlerContext, requests: readonly object[], whole = true): object {
  const timeoutMs = context.timeoutMs();
  const query = context.requestMethod === "GET" ? [...new URL(context.url).searchParams] : undefined;
  return {
    ...(whole && {
      requestHeaders: toHeaderList(context.requestHeader),
      ...(timeoutMs !== undefined && { timeoutMs: BigInt(Math.round(timeoutMs)) }),
    }),
    requests: requests.map(pack),
    ...(query && { connectGetInfo: { queryParams: query.map(([name, value]) => ({ name, value: [value] })) } }),
  };
}

function add(headers: readonly Header[] | undefined, to: Headers): void {
  for (const { name, value } of headers ?? []) for (const each of value) to.append(name, each);
}

function toError(definition: ErrorDefinition, info?: object): ConnectError {
  const error = new ConnectError(definition.message ?? "", definition.code as Code);
  error.details = definition.details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  if (info !== undefined) {
    const value = create(RequestInfo, info as MessageInitShape<DescMessage>);
    error.details.push({ desc: RequestInfo, value: value as never });
  }
  return error;
}

async function answerOne(
  definition: UnaryDefinition | undefined,
  context: HandlerContext,
  requests: readonly object[],
) {
  const requestInfo = infoOf(context, requests);
  add(definition?.responseHeaders, context.responseHeader);
  add(definition?.responseTrailers, context.responseTrailer);
  if (definition?.responseDelayMs) await sleep(definition.responseDelayMs, context.signal);
  if (definition?.response.case === "error") throw toError(definition.response.value, requestInfo);
  const data = definition?.response.case === "responseData" ? definition.response.value : new Uint8Array();
  return { payload: { data, requestInfo } };
}

async function* answerMany(
  definition: StreamDefinition | undefined,
  context: HandlerContext,
  requests: readonly object[],
) {
  add(definition?.responseHeaders, context.responseHeader);
  add(definition?.responseTrailers, context.responseTrailer);
  let sent = 0;
  for (const data of definition?.responseData ?? []) {
    if (definition?.responseDelayMs) await sleep(definition.responseDelayMs, context.signal);
    yield { payload: { data, ...(sent === 0 && { requestInfo: infoOf(context, requests) }) } };
    sent += 1;
  }
  if (definition?.error) throw toError(definition.error, sent === 0 ? infoOf(context, requests) : undefined);
}

async function* converse(requests: AsyncIterable<Request<StreamDefinition>>, context: HandlerContext) {
  const seen: object[] = [];
  let definition: StreamDefinition | undefined;
  let isFullDuplex = false;
  let sent = 0;
  for await (const request of requests) {
    if (seen.length === 0) {
      definition = request.responseDefinition;
      isFullDuplex = request.fullDuplex === true;
      add(definition?.responseHeaders, context.responseHeader);
      add(definition?.responseTrailers, context.responseTrailer);
    }
    seen.push(request);
    if (!isFullDuplex) continue;
    if (sent >= (definition?.responseData.length ?? 0)) break;
    if (definition?.responseDelayMs) await sleep(definition.responseDelayMs, context.signal);
    const requestInfo = infoOf(context, [request], sent === 0);
    yield { payload: { data: definition?.responseData[sent], requestInfo } };
    sent += 1;
  }
  for (; sent < (definition?.responseData.length ?? 0); sent++) {
    if (definition?.responseDelayMs) await sleep(definition.responseDelayMs, context.signal);
    yield {
      payload: { data: definition?.responseData[sent], ...(sent === 0 && { requestInfo: infoOf(context, seen) }) },
    };
  }
  if (definition?.error) throw toError(definition.error, sent === 0 ? infoOf(context, seen) : undefined);
}

const unary = (request: Request<UnaryDefinition>, context: HandlerContext) =>
  answerOne(request.responseDefinition, context, [request]);
const implementation = {
  unary,
  idempotentUnary: unary,
  serverStream: (request: Request<StreamDefinition>, context: HandlerContext) =>
    answerMany(request.responseDefinition, context, [request]),
  async clientStream(requests: AsyncIterable<Request<UnaryDefinition>>, context: HandlerContext) {
    const seen: Request<UnaryDefinition>[] = [];
    for await (const request of requests) seen.push(request);
    return answerOne(seen[0]?.responseDefinition, context, seen);
  },
  bidiStream: converse,
};

for await (const wanted of readMessages<ServerCompatRequest>(messageType("ServerCompatRequest"), process.stdin)) {
  const { serverCreds, clientTlsCert, messageReceiveLimit } = wanted;
  const client =
    clientTlsCert.length > 0 ? { ca: Buffer.from(clientTlsCert), requestCert: true, rejectUnauthorized: true } : {};
  const { port } = await listen({
    host: "127.0.0.1",
    port: 0,
    registry,
    routes: (router) =>
      router.service(ConformanceService, implementation as unknown as ServiceImpl<typeof ConformanceService>),
    ...(messageReceiveLimit > 0 && { maxMessageBytes: messageReceiveLimit }),
    ...(wanted.useTls &&
      serverCreds && { tls: { cert: Buffer.from(serverCreds.cert), key: Buffer.from(serverCreds.key), ...client } }),
  });
  const pemCert = wanted.useTls ? serverCreds?.cert : undefined;
  writeMessage(messageType("ServerCompatResponse"), { host: "127.0.0.1", port, ...(pemCert && { pemCert }) });
}
