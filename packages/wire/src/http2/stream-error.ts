import { errorCode } from "./protocol.ts";

/** The peer broke the rules of one stream: it is reset with this code, one of `errorCode` (RFC 9113 section 5.4.2). */
export class StreamError extends Error {
  override readonly name = "StreamError";
  readonly code: number;

  constructor(message: string, code: number = errorCode.protocolError) {
    super(message);
    this.code = code;
  }
}
