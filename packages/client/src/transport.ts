import type { DescMethod } from "@bufbuild/protobuf";
import type { ContextValues, StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { type Clock, currentCall } from "@weft/context";
import type { MethodPolicy } from "@weft/policy";
import { PlainHeader } from "@weft/rpc";
import { Call, type Next, type Outgoing } from "./call.ts";
import { type CalledMethod, calledMethod } from "./called-method.ts";

type HeadersInit = Parameters<Transport["unary"]>[3];

/** The stack, as the Transport that Connect's `createClient` wants. */
export function meshTransport(policyOf: (method: DescMethod) => MethodPolicy, stack: Next, clock: Clock): Transport {
  const called = new Map<DescMethod, CalledMethod>();
  const methodOf = (method: DescMethod): CalledMethod => {
    let known = called.get(method);
    if (known === undefined) {
      known = calledMethod(method);
      called.set(method, known);
    }
    return known;
  };
  const begin = (
    method: DescMethod,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit,
    outgoing: Outgoing,
    contextValues: ContextValues | undefined,
  ): Call => {
    const policy = policyOf(method);
    const caller = currentCall();
    const now = clock.now();
    const contractDeadline = now + policy.timeoutMs;
    const callerDeadline = Math.min(
      now + (timeoutMs ?? Number.POSITIVE_INFINITY),
      caller?.deadline ?? Number.POSITIVE_INFINITY,
    );
    const call = new Call(
      methodOf(method),
      policy,
      plain(header),
      outgoing,
      contextValues,
      eitherOf(signal, caller?.signal),
      now,
      Math.min(contractDeadline, callerDeadline),
    );
    if (policy.balancer.kind === "consistent-hash") call.key = hashKey(outgoing, policy.balancer.key);
    return call;
  };
  return {
    unary(method, signal, timeoutMs, header, message, contextValues) {
      type Response = Promise<UnaryResponse<typeof method.input, typeof method.output>>;
      return stack(begin(method, signal, timeoutMs, header, { kind: "one", message }, contextValues)) as Response;
    },
    async stream(method, signal, timeoutMs, header, messages, contextValues) {
      const outgoing: Outgoing =
        method.methodKind === "server_streaming"
          ? { kind: "kept", messages: await collect(messages) }
          : { kind: "stream", messages };
      const response = stack(begin(method, signal, timeoutMs, header, outgoing, contextValues));
      return (await response) as StreamResponse<typeof method.input, typeof method.output>;
    },
  };
}

/** The value in the request by which calls are spread; undefined where it isn't set. */
function hashKey(outgoing: Outgoing, path: readonly string[]): string | undefined {
  let value: unknown;
  if (outgoing.kind === "one") value = outgoing.message;
  else if (outgoing.kind === "kept") value = outgoing.messages[0];
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  return value === undefined ? undefined : String(value);
}

/** A header that layers may add to. Most calls bring none. */
function plain(init: HeadersInit): PlainHeader {
  const header = new PlainHeader();
  if (init === undefined) return header;
  new Headers(init).forEach((value, name) => {
    header[name] = value;
  });
  return header;
}

function eitherOf(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return AbortSignal.any([a, b]);
}

async function collect<T>(input: AsyncIterable<T>): Promise<readonly T[]> {
  const messages: T[] = [];
  for await (const message of input) messages.push(message);
  return messages;
}
