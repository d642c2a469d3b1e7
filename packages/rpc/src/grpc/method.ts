import type { DescMessage, DescMethod, Registry } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type MethodImplSpec,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { binaryCodec, type Codec, jsonCodec } from "../protobuf/codec.ts";
import type { GrpcHandlerContext } from "./handler-context.ts";

/** A method that is served, ready to be called. */
export interface ServedMethod {
  readonly method: DescMethod;
  readonly proto: MethodCodecs;
  readonly json: MethodCodecs;
  /** A unary method's handler, with the interceptors around it. */
  callUnary(request: AnyMessage, context: GrpcHandlerContext): Promise<AnyMessage> | AnyMessage;
  /** The handler of any other, which gets its requests as they come and gives its responses as they are read. */
  callStream(
    requests: AsyncIterable<AnyMessage>,
    context: GrpcHandlerContext,
  ): Promise<AsyncIterable<AnyMessage>> | AsyncIterable<AnyMessage>;
}

export interface MethodCodecs {
  readonly input: Codec<DescMessage>;
  readonly output: Codec<DescMessage>;
}

/** Of a type that only the contract knows. */
export type AnyMessage = UnaryRequest["message"];

type AnyRequest = UnaryRequest | StreamRequest;
type AnyResponse = UnaryResponse | StreamResponse;
type Impl = (request: unknown, context: HandlerContext) => unknown;

const contextKey = createContextKey<GrpcHandlerContext | undefined>(undefined);

/** Interceptors are put around the handler once, the first outermost, and not for each call. */
export function serveMethod(
  spec: MethodImplSpec,
  interceptors: readonly Interceptor[],
  registry: Registry | undefined,
): ServedMethod {
  const { method } = spec;
  const impl = spec.impl as Impl;
  const intercepted = interceptors.length === 0 ? undefined : intercept(spec, interceptors);
  return {
    method,
    proto: { input: binaryCodec(method.input), output: binaryCodec(method.output) },
    json: { input: jsonCodec(method.input, registry), output: jsonCodec(method.output, registry) },
    callUnary(request, context) {
      if (intercepted === undefined) return impl(request, context) as Promise<AnyMessage>;
      return intercepted(unaryRequest(method, request, context)).then((response) => {
        context.takeResponse(response);
        return response.message as AnyMessage;
      });
    },
    callStream(requests, context) {
      if (intercepted === undefined) return callStreaming(spec, requests, context);
      return intercepted(streamRequest(method, requests, context)).then((response) => {
        context.takeResponse(response);
        return response.message as AsyncIterable<AnyMessage>;
      });
    },
  };
}

function intercept(
  spec: MethodImplSpec,
  interceptors: readonly Interceptor[],
): (request: AnyRequest) => Promise<AnyResponse> {
  const { method } = spec;
  const handler = async (request: AnyRequest): Promise<AnyResponse> => {
    const context = request.contextValues.get(contextKey) as GrpcHandlerContext;
    context.takeRequest(request);
    const common = { service: method.parent, header: context.responseHeader, trailer: context.responseTrailer };
    if (!request.stream) {
      const message = await (spec.impl as Impl)(request.message, context);
      return { ...common, stream: false, method, message } as UnaryResponse;
    }
    const message = await callStreaming(spec, request.message as AsyncIterable<AnyMessage>, context);
    return { ...common, stream: true, method, message } as StreamResponse;
  };
  return interceptors.reduceRight<(request: AnyRequest) => Promise<AnyResponse>>((next, each) => each(next), handler);
}

async function* one<T>(message: T): AsyncGenerator<T> {
  yield message;
}

function callStreaming(
  spec: MethodImplSpec,
  requests: AsyncIterable<AnyMessage>,
  context: HandlerContext,
): Promise<AsyncIterable<AnyMessage>> | AsyncIterable<AnyMessage> {
  const impl = spec.impl as Impl;
  switch (spec.kind) {
    case "server_streaming":
      return first(requests).then((request) => impl(request, context) as AsyncIterable<AnyMessage>);
    case "client_streaming":
      return (impl(requests, context) as Promise<AnyMessage>).then(one);
    default:
      return impl(requests, context) as AsyncIterable<AnyMessage>;
  }
}

/** The only one: whoever makes the requests sees to that. */
async function first<T>(messages: AsyncIterable<T>): Promise<T> {
  const next = await messages[Symbol.asyncIterator]().next();
  return next.value as T;
}

function common(method: DescMethod, context: GrpcHandlerContext) {
  const contextValues: ContextValues = context.values;
  contextValues.set(contextKey, context);
  return {
    method,
    service: method.parent,
    requestMethod: "POST",
    url: context.url,
    signal: context.signal,
    header: context.requestHeader,
    contextValues,
  };
}

function unaryRequest(method: DescMethod, message: AnyMessage, context: GrpcHandlerContext): UnaryRequest {
  return { ...common(method, context), stream: false, message } as UnaryRequest;
}

function streamRequest(
  method: DescMethod,
  message: AsyncIterable<AnyMessage>,
  context: GrpcHandlerContext,
): StreamRequest {
  return { ...common(method, context), stream: true, message } as StreamRequest;
}
