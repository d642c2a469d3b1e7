import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type UnaryResponse } from "@connectrpc/connect";
import {
  type CallStatus,
  ClientCall,
  type ClientCallHandler,
  type ClientCallOptions,
  type Http2Client,
} from "@weft/wire";
import { FieldHeaders } from "../field-headers.ts";
import type { ClientMethod } from "./client-method.ts";
import { statusError, wrongNumber } from "./status-error.ts";

/** One message there, one back. */
export class UnaryExchange implements ClientCallHandler {
  readonly #method: ClientMethod;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: UnaryResponse) => void;
  readonly #reject: (error: ConnectError) => void;
  readonly #call: ClientCall;
  #head: readonly string[] = noFields;
  #message: MessageShape<DescMessage> | undefined;
  #messages = 0;
  /** What is to be told instead of the call's own status. */
  #failure: ConnectError | undefined;

  constructor(
    method: ClientMethod,
    client: Http2Client,
    request: Uint8Array,
    options: ClientCallOptions,
    signal: AbortSignal | undefined,
    resolve: (response: UnaryResponse) => void,
    reject: (error: ConnectError) => void,
  ) {
    this.#method = method;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#call = new ClientCall(client, this, options);
    signal?.addEventListener("abort", this);
    this.#call.run();
    this.#call.sendOnly(request);
  }

  /** The signal has fired. */
  handleEvent(): void {
    this.#fail(ConnectError.from(this.#signal?.reason, Code.Canceled));
  }

  onHeaders(fields: readonly string[]): void {
    this.#head = fields;
  }

  onMessage(bytes: Buffer): void {
    this.#messages += 1;
    const { method, output } = this.#method;
    if (this.#messages > 1) {
      this.#fail(wrongNumber(method, this.#messages));
      return;
    }
    try {
      this.#message = output.read(bytes);
    } catch (error) {
      this.#fail(notTheMessage(method.output, error));
    }
  }

  onStatus(status: CallStatus): void {
    this.#signal?.removeEventListener("abort", this);
    const { method } = this.#method;
    if (this.#failure !== undefined) this.#reject(this.#failure);
    else if (status.code !== 0) this.#reject(statusError(status, this.#head));
    else if (this.#message === undefined) this.#reject(wrongNumber(method, 0));
    else {
      this.#resolve({
        stream: false,
        service: method.parent,
        method,
        header: new FieldHeaders(this.#head),
        trailer: new FieldHeaders(status.fields),
        message: this.#message,
      } as UnaryResponse);
    }
  }

  onDrained(): void {
    // There is but one message.
  }

  #fail(error: ConnectError): void {
    this.#failure = error;
    this.#call.cancel(error.code, error.rawMessage);
  }
}

const noFields: readonly string[] = [];

export function notTheMessage({ typeName }: { readonly typeName: string }, cause: unknown): ConnectError {
  return new ConnectError(`a response is no ${typeName}`, Code.Internal, undefined, undefined, cause);
}
