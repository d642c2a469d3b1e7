// For those who speak gRPC.
export { type CallStatus, ClientCall, type ClientCallHandler, type ClientCallOptions } from "./grpc/client-call.ts";
export { type Deadline, Deadlines, type Timed } from "./grpc/deadlines.ts";
export { fieldValue } from "./grpc/fields.ts";
export { ServerCall, type ServerCallHandler, type ServerCallOptions } from "./grpc/server-call.ts";
export { grpcCode } from "./grpc/status.ts";
// For those who look into header blocks.
export { type DecodedHeaders, HeaderDecoder, type HeaderLimits } from "./hpack/header-decoder.ts";
export { HeaderEncoder } from "./hpack/header-encoder.ts";
// For those who speak HTTP/2.
export { Http2Client, type Http2ClientOptions, type Waiting } from "./http2/client.ts";
export { type ConnectionHandler, type ConnectionOptions, Http2Connection } from "./http2/connection.ts";
export { type Address, dial } from "./http2/dial.ts";
export { type ConnectionLimits, edgeLimits, meshLimits } from "./http2/limits.ts";
export type { RequestHead } from "./http2/message-head.ts";
export { errorCode } from "./http2/protocol.ts";
export type { Http2Stream, StreamHandler } from "./http2/stream.ts";
