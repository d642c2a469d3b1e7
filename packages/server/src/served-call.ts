import { randomUUID } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { type CallContext, type Downstream, headers, type KeyedCommand } from "@weft/context";
import type { MethodPolicy } from "@weft/policy";
import { hearing, requestField } from "@weft/rpc";
import type { ServedMethod } from "./serve.ts";

/** Gets the error that the call ended with, undefined when it went well, and may say another in its place. */
export type AtEnd = (error: unknown) => unknown;

/**
 * One call on its way to its handler: what layers see of it, and what the handler finds as `currentCall()`. Nothing is made that nobody
 * asks for: a signal, for one, costs more than all layers that don't.
 */
export class ServedCall implements CallContext {
  readonly served: ServedMethod;
  /** As it was when the call began: a change meets the next one. */
  readonly policy: MethodPolicy;
  context: HandlerContext;
  /** A message, or as many as the caller sends. */
  request: unknown;
  /** The clock's reading when it came. */
  startedAt = 0;
  deadline: number | undefined;
  /** It was in a queue, or held back: its deadline may have passed meanwhile. */
  hasWaited = false;
  /** What may still run when the caller was told the end; the call is over when this is. */
  outlivedBy: Promise<unknown> | undefined;
  readonly command: KeyedCommand | undefined = undefined;
  downstream: Downstream = { unavailable: undefined };
  #correlationId: string | undefined;
  #ends: AtEnd[] = [];

  constructor(served: ServedMethod, request: unknown, context: HandlerContext) {
    this.served = served;
    this.policy = served.policy;
    this.request = request;
    this.context = context;
  }

  get method(): DescMethod {
    return this.served.method;
  }

  /** `package.Service/Method`. */
  get scope(): string {
    return this.served.scope;
  }

  /** Fires when the caller left, or the deadline passed. */
  get signal(): AbortSignal {
    return this.context.signal;
  }

  /** The handler hears of it too. */
  set signal(signal: AbortSignal) {
    this.context = hearing(this.context, signal);
  }

  get caller(): string | undefined {
    return requestField(this.context, headers.caller) ?? undefined;
  }

  get idempotencyKey(): string | undefined {
    return requestField(this.context, headers.idempotencyKey) ?? undefined;
  }

  /** The caller's when it is one that can be logged as it is. */
  get correlationId(): string {
    if (this.#correlationId === undefined) {
      const given = requestField(this.context, headers.correlationId);
      this.#correlationId = given !== null && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
    }
    return this.#correlationId;
  }

  /** `end` is called once, when the call is over; the last that was left first, as layers lie. */
  atEnd(end: AtEnd): void {
    this.#ends.push(end);
  }

  /** The call is over. Returns the error that its caller is told. */
  end(error: unknown): unknown {
    let told = error;
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        told = end(told) ?? told;
      } catch (failure) {
        // The others have things to give back.
        process.emitWarning(failure instanceof Error ? failure : String(failure));
      }
    }
    return told;
  }
}
