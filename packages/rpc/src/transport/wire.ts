import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport, type UnaryResponse } from "@connectrpc/connect";
import type { ClientCallOptions, Deadlines, Http2Client } from "@weft/wire";
import type { FieldsInit } from "../fields.ts";
import { type ClientMethod, clientMethod, encodeRequest, requestFields, type Target } from "./client-method.ts";
import { StreamExchange } from "./stream-exchange.ts";
import { timeoutOf } from "./timeout-of.ts";
import { UnaryExchange } from "./unary-exchange.ts";

export interface WireTransportOptions extends Target {
  readonly client: Http2Client;
  readonly deadlines: Deadlines;
  readonly maxMessageBytes: number;
}

/** gRPC over `@weft/wire`, as Connect's `Transport`. */
export function wireTransport(options: WireTransportOptions): Transport {
  const { client, deadlines, maxMessageBytes, compress } = options;
  const methods = new WeakMap<DescMethod, ClientMethod>();
  const methodOf = (method: DescMethod): ClientMethod => {
    let known = methods.get(method);
    if (known === undefined) {
      known = clientMethod(method, options);
      methods.set(method, known);
    }
    return known;
  };
  const callOptions = (method: ClientMethod, timeoutMs: number | undefined, header: FieldsInit): ClientCallOptions => {
    const { same, fields } = requestFields(method, header);
    return { same, fields, maxMessageBytes, compress, deadlines, timeoutMs: timeoutOf(timeoutMs) };
  };
  return {
    unary(method, signal, timeoutMs, header, input) {
      const called = methodOf(method);
      type Response = UnaryResponse<typeof method.input, typeof method.output>;
      return new Promise<Response>((resolve, reject) => {
        throwIfAborted(signal);
        const request = encodeRequest(called, input, maxMessageBytes);
        const settings = callOptions(called, timeoutMs, header);
        new UnaryExchange(
          called,
          client,
          request,
          settings,
          signal,
          resolve as (response: UnaryResponse) => void,
          reject,
        );
      });
    },
    async stream(method, signal, timeoutMs, header, input) {
      const called = methodOf(method);
      throwIfAborted(signal);
      const exchange = new StreamExchange(called, client, input, callOptions(called, timeoutMs, header), signal);
      return (await exchange.response) as never;
    },
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
}
