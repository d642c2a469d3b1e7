import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { fieldValue, type ServerCall } from "@weft/wire";
import { toHeaders } from "../fields.ts";

/** What a handler can ask of its call. Whatever it doesn't ask for is not made. */
export class GrpcHandlerContext implements HandlerContext {
  readonly method: DescMethod;
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly #call: ServerCall;
  readonly #deadline: number | undefined;
  #controller: AbortController | undefined;
  /** Why the call ended before its time; undefined while it has not. */
  #ended: unknown;
  #signal: AbortSignal | undefined;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;

  constructor(method: DescMethod, call: ServerCall) {
    this.method = method;
    this.#call = call;
    this.#deadline = call.timeoutMs === undefined ? undefined : performance.now() + call.timeoutMs;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get url(): string {
    const { fields } = this.#call;
    return `${fieldValue(fields, ":scheme")}://${fieldValue(fields, ":authority") ?? ""}${fieldValue(fields, ":path")}`;
  }

  timeoutMs = (): number | undefined => {
    return this.#deadline === undefined ? undefined : this.#deadline - performance.now();
  };

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#controller = new AbortController();
    if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    this.#signal = this.#controller.signal;
    return this.#signal;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= toHeaders(this.#call.fields);
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  /** What the handler has set, if it has touched it. */
  get setHeader(): Headers | undefined {
    return this.#responseHeader;
  }

  get setTrailer(): Headers | undefined {
    return this.#responseTrailer;
  }

  /** What interceptors made of the request. */
  takeRequest(request: { signal: AbortSignal; header: Headers; contextValues: ContextValues }): void {
    this.#signal = request.signal;
    this.#requestHeader = request.header;
    this.#values = request.contextValues;
  }

  /** What interceptors made of the response. */
  takeResponse(response: { header: Headers; trailer: Headers }): void {
    this.#responseHeader = response.header;
    this.#responseTrailer = response.trailer;
  }

  /** The call is over before it was answered. */
  abort(reason: unknown): void {
    this.#ended = reason;
    this.#controller?.abort(reason);
  }
}
