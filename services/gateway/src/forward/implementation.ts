import type { DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { CallOptions, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Forwarder } from "./forwarder.ts";
import { copyOutward, inwardMetadata } from "./metadata.ts";

/** A service whose every method is answered by the mesh: message for message, with metadata, deadline and cancellation. */
export function forwardingImplementation(
  service: DescService,
  forwarder: Forwarder,
): Partial<ServiceImpl<DescService>> {
  const handlers = service.methods.map((method) => [method.localName, handlerOf(method, forwarder)] as const);
  // The methods of a DescService are known at run time alone: to the compiler there are none.
  return Object.fromEntries(handlers) as unknown as Partial<ServiceImpl<DescService>>;
}

function handlerOf(method: DescMethod, forwarder: Forwarder) {
  const streams = method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
  return (input: Message | AsyncIterable<Message>, context: HandlerContext) =>
    streams ? forwarder.stream(method, input, optionsOf(context)) : forwarder.unary(method, input, optionsOf(context));
}

function optionsOf(context: HandlerContext): CallOptions {
  const timeoutMs = context.timeoutMs();
  return {
    headers: inwardMetadata(context.requestHeader),
    signal: context.signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
    onHeader: (header) => copyOutward(header, context.responseHeader),
    onTrailer: (trailer) => copyOutward(trailer, context.responseTrailer),
  };
}
