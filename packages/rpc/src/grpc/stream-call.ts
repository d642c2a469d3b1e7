import { ConnectError } from "@connectrpc/connect";
import { grpcCode, type Http2Stream, ServerCall, type ServerCallHandler, type ServerCallOptions } from "@weft/wire";
import { toFields } from "../fields.ts";
import { MessageQueue } from "../message-queue.ts";
import { GrpcHandlerContext } from "./handler-context.ts";
import type { AnyMessage, MethodCodecs, ServedMethod } from "./method.ts";
import { endWithError, toAnswer } from "./status-fields.ts";

/** A call of a method that streams, in whichever direction. */
export class StreamCall implements ServerCallHandler {
  readonly call: ServerCall;
  readonly #served: ServedMethod;
  readonly #codecs: MethodCodecs;
  readonly #stream: Http2Stream;
  readonly #requests: MessageQueue<AnyMessage>;
  readonly #context: GrpcHandlerContext;
  /** The method takes one request; whether it is there. */
  readonly #takesOne: boolean;
  #hasOne = false;
  #roomy: PromiseWithResolvers<void> | undefined;

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
    this.#takesOne = served.method.methodKind === "server_streaming";
    stream.wholeRequest = this.#takesOne;
    stream.wholeResponse = served.method.methodKind === "client_streaming";
    this.call = new ServerCall(stream, fields, this, options);
    this.#context = new GrpcHandlerContext(served.method, this.call);
    this.#requests = new MessageQueue<AnyMessage>({
      // A single request is waited for until it is known to be the only one.
      pause: () => {
        if (!this.#takesOne) this.call.pause();
      },
      resume: () => this.call.resume(),
      // The rest is read and thrown away, so that it doesn't fill the connection's window.
      leave: () => this.call.resume(),
    });
    if (!this.#takesOne && !this.call.isOver) this.#start();
  }

  onMessage(bytes: Buffer): void {
    if (this.#takesOne && this.#hasOne) {
      this.call.end(grpcCode.unimplemented, "the method takes one message, and two have come");
      return;
    }
    this.#hasOne = true;
    let message: AnyMessage;
    try {
      message = this.#codecs.input.read(bytes);
    } catch {
      const reason = `a request is no ${this.#served.method.input.typeName}`;
      this.call.end(grpcCode.internal, reason);
      this.onOver(grpcCode.internal, reason);
      return;
    }
    this.#requests.push(message, bytes.length);
  }

  onMessagesEnd(): void {
    if (this.#takesOne && !this.#hasOne) {
      this.call.end(grpcCode.unimplemented, "the method takes one message, and none has come");
      return;
    }
    this.#requests.end();
    if (this.#takesOne) this.#start();
  }

  onOver(code: number, reason: string): void {
    const error = new ConnectError(reason, code);
    this.#context.abort(error);
    this.#requests.fail(error);
    this.#roomy?.resolve();
  }

  onDrained(): void {
    this.#roomy?.resolve();
  }

  #start(): void {
    this.#stream.hold();
    this.#run().finally(() => this.#stream.release());
  }

  async #run(): Promise<void> {
    const { call } = this;
    const context = this.#context;
    try {
      const responses = await this.#served.callStream(this.#requests, context);
      for await (const response of responses) {
        if (call.isOver) break;
        const bytes = this.#codecs.output.write(response);
        if (context.setHeader !== undefined) call.sendHeaders(toFields(context.setHeader));
        if (!call.send(bytes)) await this.#drained();
        if (call.isOver) break;
      }
      if (call.isOver) return;
      call.sendHeaders(toFields(context.setHeader ?? []));
      call.end(grpcCode.ok, "", toFields(context.setTrailer ?? []));
    } catch (error) {
      endWithError(call, toAnswer(error), { header: context.setHeader, trailer: context.setTrailer });
    }
  }

  async #drained(): Promise<void> {
    this.#roomy = Promise.withResolvers();
    await this.#roomy.promise;
    this.#roomy = undefined;
  }
}
