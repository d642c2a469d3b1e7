import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMethod, fromBinary, type Message, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { createCall, currentCall, headers, type KeyedCommand, runWithCall } from "@weft/context";
import type { ServedService } from "./serve.ts";

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

type UnaryHandler = (request: Message, context: HandlerContext) => Promise<Message> | Message;

/**
 * The implementation with its keyed methods (`idempotency_key` in the contract) running once a key: a repeat gets the
 * same bytes, another request under the same key is refused, and a concurrent one waits for the first to end.
 */
export function onceAKey(served: ServedService, store: CommandStore): ServedService["implementation"] {
  const { service, policies } = served;
  const implementation: Record<string, unknown> = { ...served.implementation };
  for (const method of service.methods) {
    const policy = policies.methods[method.localName];
    const handler = implementation[method.localName];
    if (!policy?.idempotencyKey || method.methodKind !== "unary" || typeof handler !== "function") continue;
    implementation[method.localName] = keyed(method, handler as UnaryHandler, store, policy.timeoutMs * 2);
  }
  return implementation as Partial<ServiceImpl<typeof service>>;
}

function keyed(method: DescMethod, handler: UnaryHandler, store: CommandStore, leaseMs: number): UnaryHandler {
  const scope = `${method.parent.typeName}/${method.name}`;
  return async (request, context) => {
    const key = context.requestHeader.get(headers.idempotencyKey);
    if (key === null) return handler(request, context);
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new ConnectError(
        `${headers.idempotencyKey} must be 1 to 255 visible ASCII characters, such as a UUID`,
        Code.InvalidArgument,
      );
    }
    const requestHash = createHash("sha256").update(toBinary(method.input, request)).digest();
    for (;;) {
      const claim = await store.claim({ scope, key, requestHash, leaseMs });
      switch (claim.kind) {
        case "claimed":
          return runOnce(method, store, { scope, key, claim: claim.claim }, () => handler(request, context));
        case "stored":
          context.responseHeader.set(headers.idempotentReplay, "true");
          return fromBinary(method.output, claim.response);
        case "mismatch":
          throw new ConnectError(
            `${headers.idempotencyKey} ${key} was used for another request: use a new key`,
            Code.InvalidArgument,
          );
        case "running":
          await sleep(repeatPauseMs, undefined, { signal: currentCall()?.signal ?? context.signal });
      }
    }
  };
}

async function runOnce(
  method: DescMethod,
  store: CommandStore,
  claimed: ClaimedCommand,
  handle: () => Promise<Message> | Message,
): Promise<Message> {
  const command: KeyedCommand = { ...claimed, encode: undefined, stored: false };
  try {
    const answer = await runWithCall(createCall({ ...currentCall(), command }), handle);
    const message = create(method.output, answer as MessageInitShape<typeof method.output>);
    if (!command.stored) await store.complete({ ...claimed, response: toBinary(method.output, message) });
    return message;
  } catch (error) {
    // Once the response was committed with the change the key stays taken, and a repeat gets it.
    if (!command.stored) await store.release(claimed);
    throw error;
  }
}
