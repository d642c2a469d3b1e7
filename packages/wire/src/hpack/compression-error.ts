/**
 * A header block that breaks HPACK. Both ends' tables differ from here on, so the connection ends with COMPRESSION_ERROR
 * (RFC 9113 section 4.3).
 */
export class CompressionError extends Error {
  override readonly name = "CompressionError";
}
