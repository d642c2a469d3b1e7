import { ConnectError } from "@connectrpc/connect";
import { grpcCode, type Http2Stream, ServerCall, type ServerCallHandler, type ServerCallOptions } from "@weft/wire";
import { toFields } from "../fields.ts";
import { GrpcHandlerContext } from "./handler-context.ts";
import type { AnyMessage, MethodCodecs, ServedMethod } from "./method.ts";
import { endWithError, toAnswer } from "./status-fields.ts";

/** A call of a unary method: its handler is called when the request is there whole. */
export class UnaryCall implements ServerCallHandler {
  readonly call: ServerCall;
  readonly #served: ServedMethod;
  readonly #codecs: MethodCodecs;
  readonly #stream: Http2Stream;
  #request: AnyMessage | undefined;
  #context: GrpcHandlerContext | undefined;

  constructor(
    served: ServedMethod,
    codecs: MethodCodecs,
    stream: Http2Stream,
    fields: readonly string[],
    options: ServerCallOptions,
  ) {
    this.#served = served;
    this.#codecs = codecs;
    this.#stream = stream;
    stream.wholeRequest = true;
    stream.wholeResponse = true;
    this.call = new ServerCall(stream, fields, this, options);
  }

  onMessage(bytes: Buffer): void {
    if (this.#request !== undefined) {
      this.call.end(grpcCode.unimplemented, "a unary method takes one message, and two have come");
      return;
    }
    try {
      this.#request = this.#codecs.input.read(bytes);
    } catch {
      this.call.end(grpcCode.internal, `the request is no ${this.#served.method.input.typeName}`);
    }
  }

  onMessagesEnd(): void {
    if (this.#request === undefined) {
      this.call.end(grpcCode.unimplemented, "a unary method takes one message, and none has come");
      return;
    }
    const context = new GrpcHandlerContext(this.#served.method, this.call);
    this.#context = context;
    this.#stream.hold();
    try {
      const response = this.#served.callUnary(this.#request, context);
      if (response instanceof Promise)
        response.then((message) => this.#answer(message)).catch((error: unknown) => this.#fail(error));
      else this.#answer(response);
    } catch (error) {
      this.#fail(error);
    }
  }

  onOver(code: number, reason: string): void {
    this.#context?.abort(new ConnectError(reason, code));
  }

  onDrained(): void {
    // There is but one message.
  }

  #answer(message: AnyMessage): void {
    const { setHeader, setTrailer } = this.#context as GrpcHandlerContext;
    const bytes = this.#codecs.output.write(message);
    this.#stream.release();
    if (setHeader !== undefined) this.call.sendHeaders(toFields(setHeader));
    this.call.send(bytes);
    this.call.end(grpcCode.ok, "", setTrailer && toFields(setTrailer));
  }

  #fail(error: unknown): void {
    const { setHeader, setTrailer } = this.#context as GrpcHandlerContext;
    this.#stream.release();
    endWithError(this.call, toAnswer(error), { header: setHeader, trailer: setTrailer });
  }
}
