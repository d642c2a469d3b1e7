import type { DescMethod, DescMethodStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type Transport } from "@connectrpc/connect";
import type { MethodPolicy } from "@weft/policy";
import { PlainHeader, type RpcResponse, whenOver } from "@weft/rpc";
import type { Span } from "@weft/telemetry";
import type { CalledMethod } from "./called-method.ts";
import type { Endpoint } from "./endpoint.ts";
import type { CallExplanation } from "./explain/explanation.ts";

type Input = Parameters<Transport["unary"]>[4];
type Inputs = Parameters<Transport["stream"]>[4];

/** What is sent: one message, or as many as the caller has. */
export type Outgoing =
  | { readonly kind: "one"; readonly message: Input }
  /** A server stream's only request, which is kept so that it can be sent again. */
  | { readonly kind: "kept"; readonly messages: readonly unknown[] }
  | { readonly kind: "stream"; readonly messages: Inputs };

/**
 * One call on its way down the stack. There is one object a call, which layers change on its way down; what they need when it ends, they
 * keep themselves.
 */
export class Call {
  readonly called: CalledMethod;
  /** As it was when the call began: a change meets the next one. */
  readonly policy: MethodPolicy;
  /** By lower-case name. */
  readonly header: PlainHeader;
  readonly outgoing: Outgoing;
  readonly contextValues: ContextValues | undefined;
  /** Fires when the caller cancels; below the retry layer, when the attempt is given up. The deadline is told by the transport. */
  signal: AbortSignal | undefined;
  /** The clock's reading when it began, … */
  readonly startedAt: number;
  /** … and that at which it must have ended. */
  readonly deadline: number;
  /** Counts from 1. */
  attempt = 1;
  /** Absent when it isn't recorded. */
  span: Span | undefined;
  /** What the call is to be explained by; absent for those that are not. */
  explanation: CallExplanation | undefined;
  /** Where attempts of it went: another one rather goes elsewhere. Shared by those that run beside each other. */
  tried: Endpoint[] | undefined;
  /** What consistent hashing goes by; absent where the contract names no field. */
  key: string | undefined;
  readonly #ends: ((error: unknown) => void)[] = [];

  constructor(
    called: CalledMethod,
    policy: MethodPolicy,
    header: PlainHeader,
    outgoing: Outgoing,
    contextValues: ContextValues | undefined,
    signal: AbortSignal | undefined,
    startedAt: number,
    deadline: number,
  ) {
    this.called = called;
    this.policy = policy;
    this.header = header;
    this.outgoing = outgoing;
    this.contextValues = contextValues;
    this.signal = signal;
    this.startedAt = startedAt;
    this.deadline = deadline;
  }

  get method(): DescMethod {
    return this.called.method;
  }

  /** `package.Service/Method`. */
  get scope(): string {
    return this.called.scope;
  }

  /** Whether the request can be sent again: not when the caller still streams it. */
  get repeatable(): boolean {
    return this.outgoing.kind !== "stream";
  }

  /** The same call for an attempt that runs beside others. */
  beside(attempt: number, signal: AbortSignal): Call {
    const { called, policy, outgoing, contextValues, startedAt, deadline } = this;
    const header = Object.assign(new PlainHeader(), this.header);
    const other = new Call(called, policy, header, outgoing, contextValues, signal, startedAt, deadline);
    other.attempt = attempt;
    other.span = this.span;
    other.explanation = this.explanation;
    other.key = this.key;
    this.tried ??= [];
    other.tried = this.tried;
    return other;
  }

  /** `end` is called once, when the call is over: with what its caller is told, undefined when it went well. The last that was left first. */
  atEnd(end: (error: unknown) => void): void {
    this.#ends.push(end);
  }

  end(error: unknown): void {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        end(error);
      } catch (failure) {
        // The others have things to give back.
        process.emitWarning(failure instanceof Error ? failure : String(failure));
      }
    }
  }

  /** Puts it on a connection. */
  send(transport: Transport, timeoutMs: number, signal = this.signal): Promise<RpcResponse> {
    const { method, header, outgoing, contextValues } = this;
    switch (outgoing.kind) {
      case "one":
        return transport.unary(method as DescMethodUnary, signal, timeoutMs, header, outgoing.message, contextValues);
      case "kept":
        return transport.stream(
          method as DescMethodStreaming,
          signal,
          timeoutMs,
          header,
          replay(outgoing.messages) as Inputs,
          contextValues,
        );
      case "stream":
        return transport.stream(
          method as DescMethodStreaming,
          signal,
          timeoutMs,
          header,
          outgoing.messages,
          contextValues,
        );
    }
  }
}

async function* replay<T>(requests: readonly T[]): AsyncGenerator<T> {
  yield* requests;
}

export type Next = (call: Call) => Promise<RpcResponse>;

/**
 * One layer of the stack; the first listed is outermost. What it has to do when the call is over it leaves with `call.atEnd`, and returns what
 * `next` returns: a call waits for one promise, however many layers there are.
 */
export type Layer = (next: Next) => Next;

/** The layers one inside the other, and what tells them of the call's end. */
export function compose(layers: readonly Layer[], innermost: Next): Next {
  const stack = layers.reduceRight((next, layer) => layer(next), innermost);
  return (call) => {
    const caller = call.signal;
    const over = (thrown: unknown): unknown => {
      // Whoever waited for something was told its caller's own reason.
      const isCancel = thrown !== undefined && caller?.aborted === true && !(thrown instanceof ConnectError);
      const error = isCancel ? ConnectError.from(caller.reason, Code.Canceled) : thrown;
      call.end(error);
      return error;
    };
    let response: Promise<RpcResponse>;
    try {
      response = stack(call);
    } catch (error) {
      response = Promise.reject(error);
    }
    return whenOver(response, () => call.signal, over);
  };
}
