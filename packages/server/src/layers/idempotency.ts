import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor, type UnaryRequest, type UnaryResponse } from "@connectrpc/connect";
import { type CallContext, createCall, currentCall, headers, type KeyedCommand, runWithCall } from "@weft/context";
import { scopeOf } from "../request.ts";
import type { ServedMethod } from "../serve.ts";

/** Where responses of keyed commands are kept. The claim is committed before the command runs. */
export interface CommandStore {
  claim(claim: {
    readonly scope: string;
    readonly key: string;
    readonly requestHash: Uint8Array;
    /** After this a claim whose owner died can be taken over. */
    readonly leaseMs: number;
  }): Promise<Claim>;
  /** Keeps the response of a command that had no transaction of its own. */
  complete(command: { readonly scope: string; readonly key: string; readonly response: Uint8Array }): Promise<void>;
  /** Gives up a claim whose command failed, so that the key can be tried again. */
  release(command: { readonly scope: string; readonly key: string }): Promise<void>;
}

export type Claim =
  | { readonly kind: "claimed" }
  | { readonly kind: "stored"; readonly response: Uint8Array }
  | { readonly kind: "mismatch" }
  | { readonly kind: "running" };

const repeatPauseMs = 50;

/**
 * A method whose contract says `idempotency_key` runs once a key: a repeat gets the same bytes, another request under
 * the same key is refused, and a concurrent one waits for the first to end.
 */
export function idempotencyLayer(methods: ReadonlyMap<string, ServedMethod>, store: CommandStore): Interceptor {
  return (next) => async (request) => {
    const served = methods.get(scopeOf(request));
    const key = request.header.get(headers.idempotencyKey);
    if (request.stream || !served?.policy.idempotencyKey || key === null) return next(request);
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new ConnectError(
        `${headers.idempotencyKey} must be 1 to 255 visible ASCII characters, such as a UUID`,
        Code.InvalidArgument,
      );
    }
    const requestHash = createHash("sha256").update(toBinary(request.method.input, request.message)).digest();
    const claim = { scope: served.scope, key, requestHash, leaseMs: served.policy.timeoutMs * 2 };
    for (;;) {
      const answer = await store.claim(claim);
      switch (answer.kind) {
        case "claimed":
          return runOnce(store, { scope: served.scope, key, encode: undefined, stored: false }, () => next(request));
        case "stored":
          return replay(request, answer.response);
        case "mismatch":
          throw new ConnectError(
            `${headers.idempotencyKey} ${key} was used for another request: use a new key`,
            Code.InvalidArgument,
          );
        case "running":
          await sleep(repeatPauseMs, undefined, { signal: currentCall()?.signal ?? request.signal });
      }
    }
  };
}

async function runOnce(
  store: CommandStore,
  command: KeyedCommand,
  handle: () => Promise<UnaryResponse | Awaited<ReturnType<ReturnType<Interceptor>>>>,
): Promise<Awaited<ReturnType<ReturnType<Interceptor>>>> {
  const call: CallContext = createCall({ ...currentCall(), command });
  try {
    const response = await runWithCall(call, handle);
    if (!command.stored && !response.stream) {
      const bytes = toBinary(response.method.output, response.message as Message);
      await store.complete({ scope: command.scope, key: command.key, response: bytes });
    }
    return response;
  } catch (error) {
    // The response was committed with the change: the key stays taken, and a repeat gets it.
    if (!command.stored) await store.release({ scope: command.scope, key: command.key });
    throw error;
  }
}

function replay(request: UnaryRequest, response: Uint8Array): UnaryResponse {
  return {
    stream: false,
    service: request.service,
    method: request.method,
    header: new Headers({ "weft-idempotent-replay": "true" }),
    trailer: new Headers(),
    message: fromBinary(request.method.output, response),
  };
}
