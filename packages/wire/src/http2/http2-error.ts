/** The peer broke the rules. */
abstract class Http2Error extends Error {
  /** One of `errorCode`. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Those of the connection, which ends with GOAWAY and this code (RFC 9113 section 5.4.1). */
export class ConnectionError extends Http2Error {
  override readonly name = "ConnectionError";
}

/** Those of one stream, which is reset with this code (RFC 9113 section 5.4.2). */
export class StreamError extends Http2Error {
  override readonly name = "StreamError";
}
