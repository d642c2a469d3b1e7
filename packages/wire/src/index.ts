export type { HeaderLimits } from "./hpack/header-decoder.ts";
export { type ConnectionHandler, type ConnectionOptions, Http2Connection } from "./http2/connection.ts";
export { errorCode } from "./http2/protocol.ts";
export type { Http2Stream, StreamHandler } from "./http2/stream.ts";
