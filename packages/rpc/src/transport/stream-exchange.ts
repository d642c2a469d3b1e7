import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse } from "@connectrpc/connect";
import {
  type CallStatus,
  ClientCall,
  type ClientCallHandler,
  type ClientCallOptions,
  type Http2Client,
} from "@weft/wire";
import { addFields } from "../fields.ts";
import { MessageQueue } from "../message-queue.ts";
import { type ClientMethod, encodeRequest } from "./client-method.ts";
import { statusError } from "./status-error.ts";
import { notTheMessage } from "./unary-exchange.ts";

type Requests = AsyncIterable<MessageInitShape<DescMessage>>;

/** Messages there, messages back, both with backpressure. */
export class StreamExchange implements ClientCallHandler {
  /** Resolves when the server has answered with its header fields; rejects when the call failed without. */
  readonly response: Promise<StreamResponse>;
  readonly #answered = Promise.withResolvers<StreamResponse>();
  readonly #method: ClientMethod;
  readonly #signal: AbortSignal | undefined;
  readonly #maxMessageBytes: number;
  readonly #requests: AsyncIterator<MessageInitShape<DescMessage>>;
  readonly #call: ClientCall;
  readonly #messages: MessageQueue<MessageShape<DescMessage>>;
  readonly #trailer = new Headers();
  #head: readonly string[] | undefined;
  #failure: ConnectError | undefined;
  #isOver = false;
  #roomy: PromiseWithResolvers<void> | undefined;

  constructor(
    method: ClientMethod,
    client: Http2Client,
    requests: Requests,
    options: ClientCallOptions,
    signal: AbortSignal | undefined,
  ) {
    this.response = this.#answered.promise;
    this.#method = method;
    this.#signal = signal;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#requests = requests[Symbol.asyncIterator]();
    this.#messages = new MessageQueue<MessageShape<DescMessage>>({
      pause: () => this.#call.pause(),
      resume: () => this.#call.resume(),
      leave: () => this.#fail(new ConnectError("the reader has left the stream", Code.Canceled)),
    });
    this.#call = new ClientCall(client, this, options);
    signal?.addEventListener("abort", this);
    this.#call.run();
    void this.#send();
  }

  /** The signal has fired. */
  handleEvent(): void {
    this.#fail(ConnectError.from(this.#signal?.reason, Code.Canceled));
  }

  onHeaders(fields: readonly string[]): void {
    this.#head = fields;
    this.#answer(fields);
  }

  onMessage(bytes: Buffer): void {
    const { method, output } = this.#method;
    try {
      this.#messages.push(output.read(bytes), bytes.length);
    } catch (error) {
      this.#fail(notTheMessage(method.output, error));
    }
  }

  onStatus(status: CallStatus): void {
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this);
    this.#roomy?.resolve();
    // A source that waits for something else would wait for nothing.
    this.#requests.return?.()?.catch(() => {});
    const head = this.#head ?? [];
    const error = this.#failure ?? (status.code === 0 ? undefined : statusError(status, head));
    if (error !== undefined) {
      this.#answered.reject(error);
      // What has come is the reader's, unless its caller has given the call up.
      if (this.#failure === undefined) this.#messages.end(error);
      else this.#messages.fail(error);
      return;
    }
    addFields(status.fields, this.#trailer);
    if (this.#head === undefined) this.#answer([]);
    this.#messages.end();
  }

  onDrained(): void {
    this.#roomy?.resolve();
  }

  #answer(fields: readonly string[]): void {
    const { method } = this.#method;
    const header = new Headers();
    addFields(fields, header);
    this.#answered.resolve({
      stream: true,
      service: method.parent,
      method,
      header,
      trailer: this.#trailer,
      message: this.#messages,
    } as StreamResponse);
  }

  async #send(): Promise<void> {
    try {
      if (this.#method.method.methodKind === "server_streaming") await this.#sendOnly();
      else await this.#sendAll();
    } catch (error) {
      this.#fail(ConnectError.from(error));
    }
  }

  /** One message is sent with the request's end, and can be sent again. */
  async #sendOnly(): Promise<void> {
    const only = await this.#requests.next();
    if (only.done || !(await this.#requests.next()).done)
      throw new ConnectError(`${this.#method.method.name} takes one message`, Code.Unimplemented);
    // A copy: it is kept until the server answers, and with it would be all that was encoded beside it.
    this.#call.sendOnly(new Uint8Array(encodeRequest(this.#method, only.value, this.#maxMessageBytes)));
  }

  async #sendAll(): Promise<void> {
    while (!this.#isOver) {
      const next = await this.#requests.next();
      if (next.done) break;
      if (!this.#call.send(encodeRequest(this.#method, next.value, this.#maxMessageBytes))) await this.#drained();
    }
    this.#call.sendEnd();
  }

  async #drained(): Promise<void> {
    if (this.#isOver) return;
    this.#roomy = Promise.withResolvers();
    await this.#roomy.promise;
    this.#roomy = undefined;
  }

  #fail(error: ConnectError): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#call.cancel(error.code, error.rawMessage);
  }
}
