import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { fieldValue, type ServerCall } from "@weft/wire";
import { toHeaders } from "../fields.ts";

/** A field of the request; of one that came by gRPC, without making `Headers` of them all. */
export function requestField(context: HandlerContext, name: string): string | null {
  return context instanceof GrpcHandlerContext ? context.field(name) : context.requestHeader.get(name);
}

/** Whether the caller's deadline ends the call by itself: its answer is then DEADLINE_EXCEEDED, whatever the handler does. */
export function endsAtDeadline(context: HandlerContext): boolean {
  return context instanceof GrpcHandlerContext;
}

/** The context of a handler that is to hear of another signal, which fires also for more than the call itself. */
export function hearing(context: HandlerContext, signal: AbortSignal): HandlerContext {
  if (!(context instanceof GrpcHandlerContext)) return { ...context, signal };
  context.hear(signal);
  return context;
}

/** What the caller was told, or would have been, when the call ended before its handler did: its time was up, or it left. */
export function endedEarly(context: HandlerContext): unknown {
  if (context instanceof GrpcHandlerContext) return context.ended;
  return context.signal.aborted ? context.signal.reason : undefined;
}

/** What a handler can ask of its call. Whatever it doesn't ask for is not made. */
export class GrpcHandlerContext implements HandlerContext {
  readonly method: DescMethod;
  readonly requestMethod = "POST";
  readonly protocolName = "grpc";
  readonly #call: ServerCall;
  readonly #deadline: number | undefined;
  #controller: AbortController | undefined;
  /** Why the call ended before its time; undefined while it has not. */
  ended: unknown;
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
    if (this.ended !== undefined) this.#controller.abort(this.ended);
    this.#signal = this.#controller.signal;
    return this.#signal;
  }

  /** A field of the request, without making `Headers` of them all. */
  field(name: string): string | null {
    if (this.#requestHeader !== undefined) return this.#requestHeader.get(name);
    return fieldValue(this.#call.fields, name) ?? null;
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

  /** The handler is to hear of this one instead, which fires also for more than the call itself. */
  hear(signal: AbortSignal): void {
    this.#signal = signal;
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
    this.ended = reason;
    this.#controller?.abort(reason);
  }
}
