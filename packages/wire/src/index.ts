export { CompressionError } from "./hpack/compression-error.ts";
export { type DecodedHeaders, HeaderDecoder, type HeaderLimits } from "./hpack/header-decoder.ts";
export { HeaderEncoder } from "./hpack/header-encoder.ts";
