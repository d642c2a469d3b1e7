/** The codes that a broken frame stands for (grpc/grpc doc/statuscodes.md). */
export const grpcCode = { resourceExhausted: 8, internal: 13 } as const;

/** What came is no gRPC, or too much of it: the call ends with this code. */
export class GrpcFrameError extends Error {
  override readonly name = "GrpcFrameError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
