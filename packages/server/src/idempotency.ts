import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMethod, fromBinary, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, deriveCall, headers, type KeyedCommand, runWithCall } from "@weft/context";
import type { Answer, Layer, Next } from "./layer.ts";
import type { ServedCall } from "./served-call.ts";

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
  complete(command: ClaimedCommand & { readonly response: Uint8Array }): Promise<void>;
  /** Gives up a claim whose command failed, so that the key can be tried again. */
  release(command: ClaimedCommand): Promise<void>;
}

interface ClaimedCommand {
  readonly scope: string;
  readonly key: string;
  /** Fences this run against one that took over after the lease. */
  readonly claim: bigint;
}

export type Claim =
  | { readonly kind: "claimed"; readonly claim: bigint }
  | { readonly kind: "stored"; readonly response: Uint8Array }
  | { readonly kind: "mismatch" }
  | { readonly kind: "running" };

const repeatPauseMs = 50;

/**
 * Keyed methods (`idempotency_key` in the contract) run once a key: a repeat gets the same bytes, another request under the same key is
 * refused, and a concurrent one waits for the first to end. A call without a key runs as it is.
 */
export function idempotencyLayer(store: CommandStore | undefined): Layer {
  return (next) => (call) => {
    if (!call.policy.idempotencyKey || call.method.methodKind !== "unary" || store === undefined) return next(call);
    const key = call.idempotencyKey;
    if (key === undefined) return next(call);
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new ConnectError(
        `${headers.idempotencyKey} must be 1 to 255 visible ASCII characters, such as a UUID`,
        Code.InvalidArgument,
      );
    }
    return onceAKey(call, key, store, next);
  };
}

async function onceAKey(call: ServedCall, key: string, store: CommandStore, next: Next): Promise<Answer> {
  const { method, scope } = call;
  const requestHash = createHash("sha256")
    .update(toBinary(method.input, call.request as Message))
    .digest();
  const leaseMs = 2 * call.policy.timeoutMs;
  for (;;) {
    const claim = await store.claim({ scope, key, requestHash, leaseMs });
    switch (claim.kind) {
      case "claimed":
        return runOnce(method, store, { scope, key, claim: claim.claim }, () => next(call));
      case "stored":
        call.context.responseHeader.set(headers.idempotentReplay, "true");
        return fromBinary(method.output, claim.response);
      case "mismatch":
        throw new ConnectError(
          `${headers.idempotencyKey} ${key} was used for another request: use a new key`,
          Code.InvalidArgument,
        );
      case "running":
        await sleep(repeatPauseMs, undefined, { signal: call.signal });
    }
  }
}

async function runOnce(
  method: DescMethod,
  store: CommandStore,
  claimed: ClaimedCommand,
  handle: () => Promise<Answer> | Answer,
): Promise<Message> {
  const command: KeyedCommand = { ...claimed, encode: undefined, stored: false };
  try {
    const answer = await runWithCall(deriveCall(currentCall(), { command }), handle);
    const message = create(method.output, answer as MessageInitShape<typeof method.output>);
    if (!command.stored) await store.complete({ ...claimed, response: toBinary(method.output, message) });
    return message;
  } catch (error) {
    // Once the response was committed with the change the key stays taken, and a repeat gets it.
    if (!command.stored) await store.release(claimed);
    throw error;
  }
}
