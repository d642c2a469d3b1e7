import type { DescMethod } from "@bufbuild/protobuf";
import {
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type Transport,
  type UnaryRequest,
} from "@connectrpc/connect";
import { runStreamingCall, runUnaryCall } from "@connectrpc/connect/protocol";
import { timeoutOf } from "./timeout-of.ts";

/** A transport with Connect's interceptors around it, the first outermost. Without any it stays as it is. */
export function intercepted(transport: Transport, interceptors: Interceptor[], baseUrl: string): Transport {
  if (interceptors.length === 0) return transport;
  const request = (
    method: DescMethod,
    header: Parameters<Transport["unary"]>[3],
    contextValues: Parameters<Transport["unary"]>[5],
  ) => ({
    service: method.parent,
    requestMethod: "POST",
    url: `${baseUrl}/${method.parent.typeName}/${method.name}`,
    header: new Headers(header),
    contextValues: contextValues ?? createContextValues(),
  });
  return {
    unary(method, signal, timeoutMs, header, message, contextValues) {
      const limit = timeoutOf(timeoutMs);
      return runUnaryCall({
        interceptors,
        ...(limit !== undefined && { timeoutMs: limit }),
        ...(signal && { signal }),
        req: { ...request(method, header, contextValues), stream: false, method, message },
        next: (req: UnaryRequest<typeof method.input, typeof method.output>) =>
          transport.unary(method, req.signal, limit, req.header, req.message as typeof message, req.contextValues),
      });
    },
    stream(method, signal, timeoutMs, header, message, contextValues) {
      const limit = timeoutOf(timeoutMs);
      return runStreamingCall({
        interceptors,
        ...(limit !== undefined && { timeoutMs: limit }),
        ...(signal && { signal }),
        req: { ...request(method, header, contextValues), stream: true, method, message },
        next: (req: StreamRequest<typeof method.input, typeof method.output>) =>
          transport.stream(method, req.signal, limit, req.header, req.message as typeof message, req.contextValues),
      });
    },
  };
}
