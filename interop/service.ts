import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { type StreamingOutputCallRequest, TestService } from "./gen/grpc/testing/test_pb.ts";

const initial = "x-grpc-test-echo-initial";
const trailing = "x-grpc-test-echo-trailing-bin";

/** gRPC's interoperability server (grpc/grpc doc/interop-test-descriptions.md), as routes. */
export function testService(router: ConnectRouter): void {
  router.service(TestService, {
    emptyCall: () => ({}),
    unaryCall({ responseSize, responseStatus }, context) {
      echoMetadata(context);
      throwStatus(responseStatus);
      return { payload: { body: new Uint8Array(responseSize) } };
    },
    async *streamingOutputCall(request) {
      yield* responses(request);
    },
    async streamingInputCall(requests) {
      let size = 0;
      for await (const { payload } of requests) size += payload?.body.length ?? 0;
      return { aggregatedPayloadSize: size };
    },
    async *fullDuplexCall(requests, context) {
      echoMetadata(context);
      for await (const request of requests) {
        throwStatus(request.responseStatus);
        yield* responses(request);
      }
    },
    async *halfDuplexCall(requests) {
      const all: StreamingOutputCallRequest[] = [];
      for await (const request of requests) all.push(request);
      for (const request of all) yield* responses(request);
    },
    unimplementedCall() {
      throw new ConnectError("no server has it", Code.Unimplemented);
    },
  });
}

async function* responses({ responseParameters }: StreamingOutputCallRequest) {
  for (const { size, intervalUs } of responseParameters) {
    if (intervalUs > 0) await new Promise((resolve) => setTimeout(resolve, intervalUs / 1_000));
    yield { payload: { body: new Uint8Array(size) } };
  }
}

function echoMetadata({ requestHeader, responseHeader, responseTrailer }: HandlerContext): void {
  const text = requestHeader.get(initial);
  if (text !== null) responseHeader.set(initial, text);
  const octets = requestHeader.get(trailing);
  if (octets !== null) responseTrailer.set(trailing, octets);
}

function throwStatus(status: { readonly code: number; readonly message: string } | undefined): void {
  if (status !== undefined && status.code !== 0) throw new ConnectError(status.message, status.code);
}
