import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { mapMessages } from "@weft/rpc";
import type { ServedMethod } from "./serve.ts";
import { ServedCall } from "./served-call.ts";

/** A message, or a stream of them where the method answers with one; or the promise of either. */
export type Answer = unknown;

export type Next = (call: ServedCall) => Answer;

/**
 * One layer of the stack; the first listed is outermost. What it has to do when the call is over it leaves with `call.atEnd`, and returns what
 * `next` returns: so that a call whose handler answers at once is answered at once, and any other waits for one promise, however
 * many layers there are. A layer that throws, or rejects, ends the call.
 */
export type Layer = (next: Next) => Next;

type Handler = (request: unknown, context: HandlerContext) => unknown;

/**
 * The implementation, with the layers around each of its methods. They stand round the handler and not in the protocol, and so are the same for
 * gRPC, gRPC-Web and Connect.
 */
export function layered<S extends DescService>(
  service: S,
  implementation: Partial<ServiceImpl<S>>,
  layers: readonly Layer[],
  methodOf: (method: DescMethod) => ServedMethod,
): Partial<ServiceImpl<S>> {
  const wrapped: Record<string, Handler> = {};
  for (const method of service.methods) {
    const handler = (implementation as Record<string, Handler | undefined>)[method.localName]?.bind(implementation);
    if (handler === undefined) continue;
    const served = methodOf(method);
    const stack = layers.reduceRight<Next>(
      (next, layer) => layer(next),
      (call) => handler(call.request, call.context),
    );
    wrapped[method.localName] = answersWithStream(method)
      ? (request, context) => stream(stack, new ServedCall(served, request, context))
      : (request, context) => answer(stack, new ServedCall(served, request, context));
  }
  return wrapped as Partial<ServiceImpl<S>>;
}

function answer(stack: Next, call: ServedCall): Answer {
  let response: Answer;
  try {
    response = stack(call);
  } catch (error) {
    throw call.end(error);
  }
  if (response instanceof Promise) {
    return response.then(
      (message: unknown) => {
        call.end(undefined);
        return message;
      },
      (error: unknown) => {
        const { outlivedBy } = call;
        if (outlivedBy === undefined || !call.signal.aborted) throw call.end(error);
        outlivedBy.then(
          () => call.end(error),
          () => call.end(error),
        );
        throw ConnectError.from(error, Code.Canceled);
      },
    );
  }
  call.end(undefined);
  return response;
}

/** Connect wants the stream at once. The call is over when it was read, or failed, or was left. */
async function* stream(stack: Next, call: ServedCall): AsyncGenerator<unknown> {
  let messages: AsyncIterable<unknown>;
  try {
    messages = (await stack(call)) as AsyncIterable<unknown>;
  } catch (error) {
    throw call.end(error);
  }
  let failure: unknown;
  yield* mapMessages(messages, {
    error(error) {
      failure = call.end(error);
      return failure;
    },
    end: () => {
      if (failure === undefined) call.end(undefined);
    },
  });
}

/** A layer's part in a stream that may have to be waited for. */
export function streamed(answer: Answer, change: (messages: AsyncIterable<unknown>) => AsyncIterable<unknown>): Answer {
  if (answer instanceof Promise) return answer.then(change);
  return change(answer as AsyncIterable<unknown>);
}

export function answersWithStream(method: DescMethod): boolean {
  return method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
}

export function takesStream(method: DescMethod): boolean {
  return method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
}
