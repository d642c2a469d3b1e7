import type { Registry } from "@bufbuild/protobuf";
import type { Interceptor, MethodImplSpec } from "@connectrpc/connect";
import {
  fieldValue,
  grpcCode,
  type Http2Stream,
  type RequestHead,
  ServerCall,
  type ServerCallHandler,
  type ServerCallOptions,
  type StreamHandler,
} from "@weft/wire";
import { type ServedMethod, serveMethod } from "./method.ts";
import { StreamCall } from "./stream-call.ts";
import { UnaryCall } from "./unary-call.ts";

/** Begins gRPC calls: on a direct path from the frames to the handler. */
export interface GrpcRoutes {
  /** Undefined when the request is none of gRPC. */
  start(stream: Http2Stream, head: RequestHead, fields: readonly string[]): StreamHandler | undefined;
}

export function grpcRoutes(
  specs: readonly MethodImplSpec[],
  interceptors: readonly Interceptor[],
  options: ServerCallOptions,
  registry: Registry | undefined,
): GrpcRoutes {
  const methods = new Map<string, ServedMethod>();
  for (const spec of specs)
    methods.set(`/${spec.method.parent.typeName}/${spec.method.name}`, serveMethod(spec, interceptors, registry));
  return {
    start(stream, head, fields) {
      const format = formatOf(fieldValue(fields, "content-type", head.fieldsAt));
      if (format === undefined || head.method !== "POST") return undefined;
      const served = methods.get(head.path);
      if (served === undefined) {
        const call = new ServerCall(stream, fields, unserved, options);
        call.end(grpcCode.unimplemented, "there is no such method here: its path is /package.Service/Method");
        return call;
      }
      const Call = served.method.methodKind === "unary" ? UnaryCall : StreamCall;
      return new Call(served, served[format], stream, fields, options).call;
    },
  };
}

function formatOf(contentType: string | undefined): "proto" | "json" | undefined {
  switch (contentType) {
    case "application/grpc":
    case "application/grpc+proto":
      return "proto";
    case "application/grpc+json":
      return "json";
    default:
      // Parameters are rare, and mean nothing.
      return contentType?.includes(";") ? formatOf(contentType.slice(0, contentType.indexOf(";")).trim()) : undefined;
  }
}

const unserved: ServerCallHandler = { onMessage() {}, onMessagesEnd() {}, onOver() {}, onDrained() {} };
