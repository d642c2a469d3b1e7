import type { DescMethod, MessageInitShape } from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { type Clock, currentCall } from "@weft/context";
import type { MethodPolicy } from "@weft/policy";
import type { Call, Next } from "./call.ts";

/** The stack, as the Transport that Connect's `createClient` wants. */
export function meshTransport(policyOf: (method: DescMethod) => MethodPolicy, stack: Next, clock: Clock): Transport {
  const begin = (
    method: DescMethod,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: ConstructorParameters<typeof Headers>[0],
    rest: Pick<Call, "repeatable" | "send">,
  ): Call => {
    const policy = policyOf(method);
    const caller = currentCall();
    const contractDeadline = clock.now() + policy.timeoutMs;
    const callerDeadline = Math.min(
      clock.now() + (timeoutMs ?? Number.POSITIVE_INFINITY),
      caller?.deadline ?? Number.POSITIVE_INFINITY,
    );
    const signals = [signal, caller?.signal].filter((each) => each !== undefined);
    return {
      method,
      scope: `${method.parent.typeName}/${method.name}`,
      policy,
      header: new Headers(header),
      signal: signals.length === 1 && signals[0] ? signals[0] : AbortSignal.any(signals),
      deadline: Math.min(contractDeadline, callerDeadline),
      fullTime: contractDeadline <= callerDeadline,
      attempt: 1,
      ...rest,
    };
  };
  return {
    unary(method, signal, timeoutMs, header, input, contextValues) {
      const call = begin(method, signal, timeoutMs, header, {
        repeatable: true,
        send: (transport, headers, remainingMs, attemptSignal) =>
          transport.unary(method, attemptSignal, remainingMs, headers, input, contextValues),
      });
      return stack(call) as Promise<UnaryResponse<typeof method.input, typeof method.output>>;
    },
    async stream(method, signal, timeoutMs, header, input, contextValues) {
      // A server stream has one request, which is kept, so that it can be sent again.
      const repeatable = method.methodKind === "server_streaming";
      const requests = repeatable ? await collect(input) : undefined;
      const call = begin(method, signal, timeoutMs, header, {
        repeatable,
        send: (transport, headers, remainingMs, attemptSignal) =>
          transport.stream(
            method,
            attemptSignal,
            remainingMs,
            headers,
            requests ? replay(requests) : input,
            contextValues,
          ),
      });
      return (await stack(call)) as StreamResponse<typeof method.input, typeof method.output>;
    },
  };
}

async function collect<T>(input: AsyncIterable<T>): Promise<readonly T[]> {
  const messages: T[] = [];
  for await (const message of input) messages.push(message);
  return messages;
}

async function* replay<T extends MessageInitShape<DescMethod["input"]>>(requests: readonly T[]): AsyncGenerator<T> {
  yield* requests;
}
