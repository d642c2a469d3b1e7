import type { DescService } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";

type StreamingCall = (request: unknown, options?: CallOptions) => AsyncIterable<unknown>;

/**
 * Connect's clients don't hear a reader who leaves a stream early: the call would run until its deadline. Here leaving
 * (`break`, `return`, an error in the loop) cancels it.
 */
export function cancelOnLeave<S extends DescService>(service: S, client: Client<S>): Client<S> {
  const calls = client as Record<string, unknown>;
  for (const { localName, methodKind } of service.methods) {
    if (methodKind !== "server_streaming" && methodKind !== "bidi_streaming") continue;
    const call = calls[localName] as StreamingCall;
    calls[localName] = ((request, options) => cancelling(call, request, options)) satisfies StreamingCall;
  }
  return client;
}

function cancelling(call: StreamingCall, request: unknown, options: CallOptions = {}): AsyncIterable<unknown> {
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  const messages = call(request, { ...options, signal });
  return {
    [Symbol.asyncIterator]() {
      const source = messages[Symbol.asyncIterator]();
      return {
        next: () => source.next(),
        async return(value) {
          left.abort();
          return { done: true, value };
        },
      };
    },
  };
}
