import { errorCode } from "../http2/protocol.ts";
import type { Http2Stream, StreamHandler } from "../http2/stream.ts";
import { decodeBinary } from "./binary-metadata.ts";
import type { Deadline, Deadlines, Timed } from "./deadlines.ts";
import { Inflow, type InflowHandler } from "./inflow.ts";
import { Outflow } from "./outflow.ts";
import { type GrpcFrameError, grpcCode } from "./status.ts";
import { encodeStatusMessage } from "./status-message.ts";
import { parseTimeout } from "./timeout.ts";

/** Whom a call's events are for. After `onOver`, or when the call was answered, nothing more comes. */
export interface ServerCallHandler {
  /** A message of the request, lent. */
  onMessage(bytes: Buffer): void;
  /** The request is complete. */
  onMessagesEnd(): void;
  /** The call is over before it was answered: what the client may still hear was sent. `code` is gRPC's. */
  onOver(code: number, reason: string): void;
  /** There is room again, after a `send` that answered false. */
  onDrained(): void;
}

export interface ServerCallOptions {
  readonly maxMessageBytes: number;
  readonly deadlines: Deadlines;
  /** A longer timeout counts as this, in milliseconds. */
  readonly maxTimeoutMs: number;
  /** Compress responses with gzip where the client takes it; without, only to those who compress their requests. */
  readonly compress?: boolean;
}

/** A gRPC call as its server sees it (grpc/grpc doc/PROTOCOL-HTTP2.md). */
export class ServerCall implements StreamHandler, InflowHandler, Timed {
  /** The request's header list, pseudo-header fields included. */
  readonly fields: readonly string[];
  /** What the client gave; undefined when it gave none. */
  readonly timeoutMs: number | undefined;

  readonly #stream: Http2Stream;
  readonly #handler: ServerCallHandler;
  readonly #deadlines: Deadlines;
  readonly #inflow: Inflow;
  readonly #outflow: Outflow;
  readonly #compresses: boolean;
  readonly #contentType: string;
  #deadline: Deadline | undefined;
  #headersSent = false;
  #isOver = false;

  /**
   * Takes the call's request. One that may not be started is answered here, and `isOver` from the beginning: its deadline has passed, or
   * its header fields are no gRPC.
   */
  constructor(stream: Http2Stream, fields: readonly string[], handler: ServerCallHandler, options: ServerCallOptions) {
    let encoding = "identity";
    let accepted: string | undefined;
    let timeout: string | undefined;
    let contentType = plain;
    let notBase64: string | undefined;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i];
      const value = fields[i + 1] as string;
      if (name === "content-type") contentType = value;
      else if (name === "grpc-timeout") timeout = value;
      else if (name === "grpc-encoding") encoding = value;
      else if (name === "grpc-accept-encoding") accepted = value;
      else if (name?.endsWith("-bin") && decodeBinary(value) === undefined) notBase64 = name;
    }
    const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
    this.fields = fields;
    this.#stream = stream;
    this.#handler = handler;
    this.#deadlines = options.deadlines;
    this.#contentType = contentType;
    this.#compresses = (options.compress === true || encoding === "gzip") && acceptsGzip(accepted);
    this.#inflow = new Inflow(this, options.maxMessageBytes);
    this.#inflow.encoding = encoding;
    this.#outflow = new Outflow(this, this.#compresses);
    this.#outflow.open(stream);
    this.timeoutMs = timeoutMs === undefined ? undefined : Math.min(timeoutMs, options.maxTimeoutMs);
    if (encoding !== "identity" && encoding !== "gzip")
      this.end(grpcCode.unimplemented, `the encoding ${encoding} is not known here: use gzip or identity`);
    else if (timeout !== undefined && timeoutMs === undefined)
      this.end(grpcCode.invalidArgument, "grpc-timeout is no timeout: at most 8 digits and one of H, M, S, m, u, n");
    else if (notBase64 !== undefined) this.end(grpcCode.invalidArgument, `the value of ${notBase64} is no base64`);
    else if (timeoutMs === 0) this.end(grpcCode.deadlineExceeded, "the call's deadline passed");
    else if (this.timeoutMs !== undefined) this.#deadline = this.#deadlines.add(this, this.timeoutMs);
  }

  /** The call was answered, or ended otherwise. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The response's header list, before its first message; later it is too late. */
  sendHeaders(fields: readonly string[]): void {
    if (this.#isOver || this.#headersSent) return;
    const same = headersOf(this.#contentType, this.#compresses);
    if (!this.#stream.takesHeaders(same, fields)) {
      this.#giveUp(grpcCode.resourceExhausted, "the response's header fields are more than the client takes");
      return;
    }
    this.#headersSent = true;
    this.#stream.sendHeaders(same, fields);
  }

  /** The bytes must not change any more. False when the next should wait for `onDrained`. */
  send(bytes: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (!this.#headersSent) this.sendHeaders([]);
    return this.#outflow.send(bytes);
  }

  /**
   * Ends the call with its status and what is to stand beside it. Before the first message it is all in one header list, which clients
   * know as Trailers-Only: their retry policies act on nothing else.
   */
  end(code: number, message = "", fields: readonly string[] = noFields): void {
    if (this.#isOver) return;
    const status = code === grpcCode.ok && message === "" ? okTrailers : ["grpc-status", String(code)];
    if (message !== "") status.push("grpc-message", encodeStatusMessage(message));
    if ((message.length > longestCut || fields.length > 0) && !this.#stream.takesHeaders(status, fields)) {
      const cut = "what is to be said of the call is more than the client takes";
      this.end(code === grpcCode.ok ? grpcCode.resourceExhausted : code, message.slice(0, longestCut) || cut);
      return;
    }
    this.#finish();
    if (this.#headersSent)
      this.#outflow.end(
        status === okTrailers ? { same: okTrailers, fields } : { same: noFields, fields: status.concat(fields) },
      );
    else this.#stream.sendHeaders(headersOf(this.#contentType, false), status.concat(fields), true);
    this.#endRequest();
  }

  /** No messages for now; the client waits when it has filled the window. */
  pause(): void {
    this.#inflow.pause();
  }

  resume(): void {
    this.#inflow.resume();
  }

  expire(): void {
    this.#giveUp(grpcCode.deadlineExceeded, "the call's deadline passed");
  }

  // What the stream says.

  onData(bytes: Buffer, start: number, end: number): void {
    this.#inflow.data(bytes, start, end);
  }

  onTrailers(): void {
    // gRPC's requests have none that mean anything.
  }

  onEnd(): void {
    this.#inflow.end();
  }

  onReset(_code: number | undefined, reason: string): void {
    if (this.#isOver) return;
    this.#finish();
    // Whatever its code: nobody waits for the answer any more.
    this.#handler.onOver(grpcCode.cancelled, reason);
  }

  onDrained(): void {
    if (this.#isOver) this.#endRequest();
    else this.#handler.onDrained();
  }

  // What the messages say.

  onMessage(bytes: Buffer): void {
    if (!this.#isOver) this.#handler.onMessage(bytes);
  }

  onMessagesEnd(): void {
    if (!this.#isOver) this.#handler.onMessagesEnd();
  }

  consume(octets: number): void {
    this.#stream.consume(octets);
  }

  onBroken(error: GrpcFrameError): void {
    this.#giveUp(error.code, error.message);
  }

  #giveUp(code: number, reason: string): void {
    if (this.#isOver) return;
    this.end(code, reason);
    this.#handler.onOver(code, reason);
  }

  #finish(): void {
    this.#isOver = true;
    this.#inflow.stop();
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
  }

  /** An answer that was sent before the request was there whole: the client need not send the rest (RFC 9113 section 8.1). */
  #endRequest(): void {
    if (this.#stream.localEnded && !this.#stream.remoteEnded) this.#stream.reset(errorCode.noError);
  }
}

const noFields: readonly string[] = [];
/** Characters that are left of a message that is too long for a header list; each is 9 octets in percent-encoding at most. */
const longestCut = 500;
/** Never changed: its block is encoded once. */
const okTrailers = ["grpc-status", "0"];
const headerLists = new Map<string, readonly string[]>();

/** One list for all calls that answer alike, so that its block is encoded once. */
function headersOf(contentType: string, compresses: boolean): readonly string[] {
  // A client may write anything behind application/grpc; what is answered is one of few.
  const type =
    contentType === "application/grpc+proto" || contentType === "application/grpc+json" ? contentType : plain;
  const key = compresses ? `${type} gzip` : type;
  let list = headerLists.get(key);
  if (list === undefined) {
    const encoding = compresses ? ["grpc-encoding", "gzip"] : [];
    list = [":status", "200", "content-type", type, ...encoding, "grpc-accept-encoding", "gzip,identity"];
    headerLists.set(key, list);
  }
  return list;
}

const plain = "application/grpc";

function acceptsGzip(encodings: string | undefined): boolean {
  return encodings?.split(",").some((each) => each.trim() === "gzip") ?? false;
}
