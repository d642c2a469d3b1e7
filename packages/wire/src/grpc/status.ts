import { errorCode } from "../http2/protocol.ts";

/** gRPC's codes (grpc/grpc doc/statuscodes.md). */
export const grpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What came is no gRPC, or too much of it: the call ends with this code. */
export class GrpcFrameError extends Error {
  override readonly name = "GrpcFrameError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The code of a call whose stream was reset (grpc/grpc doc/PROTOCOL-HTTP2.md); undefined is a connection that was lost. */
export function codeOfReset(code: number | undefined): number {
  switch (code) {
    case undefined:
    case errorCode.refusedStream:
      return grpcCode.unavailable;
    case errorCode.cancel:
      return grpcCode.cancelled;
    case errorCode.enhanceYourCalm:
      return grpcCode.resourceExhausted;
    case errorCode.inadequateSecurity:
      return grpcCode.permissionDenied;
    default:
      return grpcCode.internal;
  }
}

/** The code of a response that is not gRPC's (grpc/grpc doc/http-grpc-status-mapping.md). */
export function codeOfHttpStatus(status: string): number {
  switch (status) {
    case "400":
      return grpcCode.internal;
    case "401":
      return grpcCode.unauthenticated;
    case "403":
      return grpcCode.permissionDenied;
    case "404":
      return grpcCode.unimplemented;
    case "429":
    case "502":
    case "503":
    case "504":
      return grpcCode.unavailable;
    default:
      return grpcCode.unknown;
  }
}
