import type { Http2Client, Waiting } from "../http2/client.ts";
import type { Http2Connection } from "../http2/connection.ts";
import { errorCode } from "../http2/protocol.ts";
import type { Http2Stream, StreamHandler } from "../http2/stream.ts";
import type { Deadline, Deadlines, Timed } from "./deadlines.ts";
import { fieldValue } from "./fields.ts";
import { Inflow, type InflowHandler } from "./inflow.ts";
import { Outflow } from "./outflow.ts";
import { codeOfHttpStatus, codeOfReset, type GrpcFrameError, grpcCode } from "./status.ts";
import { decodeStatusMessage } from "./status-message.ts";
import { formatTimeout } from "./timeout.ts";

/** How a call ended. */
export interface CallStatus {
  /** gRPC's. */
  readonly code: number;
  readonly message: string;
  /** The trailers, or those of a Trailers-Only response, its other fields included; empty when there are none. */
  readonly fields: readonly string[];
  /**
   * Who says so: the server itself, or this end of the call. "never-processed" is of this end too, which knows that the server certainly
   * has not seen the call (gRFC A6).
   */
  readonly from: "server" | "here" | "never-processed";
  /** What this end has seen happen to the connection. */
  readonly cause?: string;
}

/** Whom a call's events are for. */
export interface ClientCallHandler {
  /** The response's header list; none comes with a Trailers-Only response. */
  onHeaders(fields: readonly string[]): void;
  /** A message of the response, lent. */
  onMessage(bytes: Buffer): void;
  /** Once, and nothing after it. */
  onStatus(status: CallStatus): void;
  /** There is room again, after a `send` that answered false. */
  onDrained(): void;
}

export interface ClientCallOptions {
  /** The header list that all calls of the method have in common, which never changes, … */
  readonly same: readonly string[];
  /** … and what this one adds, but for its timeout. */
  readonly fields: readonly string[];
  readonly maxMessageBytes: number;
  readonly compress: boolean;
  readonly deadlines: Deadlines;
  readonly timeoutMs: number | undefined;
}

/**
 * A gRPC call as its client sees it (grpc/grpc doc/PROTOCOL-HTTP2.md). It begins when a connection has room for it. One whose whole request
 * is a single message is sent once more when the server says that it has not processed it (gRFC A6).
 */
export class ClientCall implements Waiting, StreamHandler, InflowHandler, Timed {
  /** Takes the call out of whatever it waits in. */
  leave: (() => void) | undefined;

  readonly #client: Http2Client;
  readonly #handler: ClientCallHandler;
  readonly #options: ClientCallOptions;
  readonly #inflow: Inflow;
  #outflow: Outflow;
  /** The request, when it is one message, for as long as it may be sent again. */
  #only: Uint8Array | undefined;
  readonly #deadline: Deadline | undefined;
  #stream: Http2Stream | undefined;
  #head: readonly string[] | undefined;
  #trailers: readonly string[] | undefined;
  #isTrailersOnly = false;
  /** The server has said all; what is left is to hand it out. */
  #isComplete = false;
  #isOver = false;

  constructor(client: Http2Client, handler: ClientCallHandler, options: ClientCallOptions) {
    this.#client = client;
    this.#handler = handler;
    this.#options = options;
    this.#inflow = new Inflow(this, options.maxMessageBytes);
    this.#outflow = new Outflow(this, options.compress);
    if (options.timeoutMs !== undefined) this.#deadline = options.deadlines.add(this, options.timeoutMs);
  }

  /** Begins the call, now or when there is room for it. */
  run(): void {
    this.#client.run(this);
  }

  /** The bytes must not change any more. False when the next should wait for `onDrained`. */
  send(bytes: Uint8Array): boolean {
    return this.#isOver || this.#outflow.send(bytes);
  }

  /** The whole request. The bytes must not change any more. */
  sendOnly(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#only = bytes;
    this.#outflow.send(bytes, true);
  }

  /** The request is complete. */
  sendEnd(): void {
    if (!this.#isOver) this.#outflow.end("end");
  }

  /** The caller wants no answer any more; its status comes from here. */
  cancel(code: number, reason: string): void {
    this.#end({ code, message: reason, fields: noFields, from: "here" });
  }

  /** No messages for now; the server waits when it has filled the window. */
  pause(): void {
    this.#inflow.pause();
  }

  resume(): void {
    this.#inflow.resume();
  }

  expire(): void {
    this.cancel(grpcCode.deadlineExceeded, "the call's deadline passed");
  }

  // What the connection says.

  start(connection: Http2Connection): void {
    if (this.#isOver) return;
    this.leave = undefined;
    const { same, deadlines } = this.#options;
    let { fields } = this.#options;
    // What is left of it: the call may have waited.
    if (this.#deadline !== undefined)
      fields = ["grpc-timeout", formatTimeout(deadlines.left(this.#deadline)), ...fields];
    if (!connection.takesHeaders(same, fields)) {
      this.cancel(grpcCode.resourceExhausted, "the call's header fields are more than the server takes");
      return;
    }
    this.#stream = connection.request(this, same, fields);
    this.#outflow.open(this.#stream);
  }

  unavailable(reason: string): void {
    this.leave = undefined;
    this.#neverProcessed(reason);
  }

  // What the stream says.

  onHeaders(fields: readonly string[], isAll: boolean): void {
    this.#head = fields;
    this.#only = undefined;
    this.#isTrailersOnly = isAll;
    if (isAll) return;
    if (isForeign(fields)) {
      this.#end(foreign(fields));
      return;
    }
    this.#inflow.encoding = fieldValue(fields, "grpc-encoding", 2) ?? "identity";
    this.#handler.onHeaders(fields);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#inflow.data(bytes, start, end);
  }

  onTrailers(fields: readonly string[]): void {
    this.#trailers = fields;
  }

  onEnd(): void {
    this.#isComplete = true;
    this.#inflow.end();
  }

  onReset(code: number | undefined, reason: string): void {
    // An answer that was there before its request needs no more of that, and so ends the stream (RFC 9113 section 8.1).
    if (this.#isOver || this.#isComplete) return;
    if (code === errorCode.refusedStream && this.#head === undefined) this.#refused(reason);
    // The server has the same deadline, and may be the first to act on it.
    else if (code === errorCode.cancel && this.#deadline && this.#options.deadlines.left(this.#deadline) <= 0)
      this.expire();
    else if (code === undefined) {
      const message = "the connection was lost during the call";
      this.#end({ code: grpcCode.unavailable, message, fields: noFields, from: "here", cause: reason });
    } else this.#end({ code: codeOfReset(code), message: reason, fields: noFields, from: "here" });
  }

  onDrained(): void {
    if (!this.#isOver) this.#handler.onDrained();
  }

  // What the messages say.

  onMessage(bytes: Buffer): void {
    if (!this.#isOver) this.#handler.onMessage(bytes);
  }

  onMessagesEnd(): void {
    const head = this.#head ?? noFields;
    this.#end(statusOf(head, this.#isTrailersOnly ? head : this.#trailers));
  }

  consume(octets: number): void {
    this.#stream?.consume(octets);
  }

  onBroken({ code, message }: GrpcFrameError): void {
    this.#end({ code, message, fields: noFields, from: "here" });
  }

  #refused(reason: string): void {
    const only = this.#only;
    if (only === undefined) {
      this.#neverProcessed(reason);
      return;
    }
    this.#only = undefined;
    this.#stream = undefined;
    this.#outflow = new Outflow(this, this.#options.compress);
    this.#outflow.send(only, true);
    this.run();
  }

  #neverProcessed(cause: string): void {
    const message = "the call did not reach the server";
    this.#end({ code: grpcCode.unavailable, message, fields: noFields, from: "never-processed", cause });
  }

  #end(status: CallStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#deadline !== undefined) this.#options.deadlines.remove(this.#deadline);
    this.leave?.();
    this.#inflow.stop();
    if (this.#stream?.closed === false) this.#stream.reset(errorCode.cancel);
    this.#handler.onStatus(status);
  }
}

const noFields: readonly string[] = [];

/** Not a gRPC response, but a proxy's or some other server's. */
function isForeign(head: readonly string[]): boolean {
  if (head[1] !== "200") return true;
  return !fieldValue(head, "content-type", 2)?.startsWith("application/grpc");
}

function foreign(head: readonly string[]): CallStatus {
  const status = head[1] ?? "";
  const type = fieldValue(head, "content-type", 2) ?? "none";
  const message = `the response is no gRPC: its HTTP status is ${status}, and its content-type ${type}`;
  return { code: codeOfHttpStatus(status), message, fields: head, from: "here" };
}

/** A header list that a body follows says nothing of how the call ended, whatever it says. */
function statusOf(head: readonly string[], trailers: readonly string[] | undefined): CallStatus {
  const fields = trailers ?? noFields;
  const code = fieldValue(fields, "grpc-status");
  if (code === undefined) {
    if (isForeign(head)) return foreign(head);
    const message = "the response ends without a grpc-status";
    return { code: trailers === undefined ? grpcCode.unknown : grpcCode.internal, message, fields, from: "here" };
  }
  if (code === "0") return { code: grpcCode.ok, message: "", fields, from: "server" };
  const message = decodeStatusMessage(fieldValue(fields, "grpc-message") ?? "");
  // A code that nobody knows is UNKNOWN, with the peer's words.
  const known = /^(?:[1-9]|1[0-6])$/.test(code);
  return { code: known ? Number(code) : grpcCode.unknown, message, fields, from: "server" };
}
