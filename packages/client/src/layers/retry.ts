import type { Clock } from "@weft/context";
import { createRetry, type Retry, type RetryBudget, type RetryPolicy } from "@weft/policy";
import { codeName, type RpcResponse } from "@weft/rpc";
import type { Call, Layer } from "../call.ts";
import { isAttemptTimeout, pushbackOf } from "../errors.ts";
import type { MeshEvent } from "../mesh-event.ts";
import { retryCounter } from "../retry-counter.ts";

export interface RetryParts {
  readonly budget: RetryBudget;
  readonly random: () => number;
  readonly clock: Clock;
  /** One a method, made with its first call; who made the map can read their states. */
  readonly retries: Map<string, Retry>;
  readonly emit: (event: MeshEvent) => void;
}

/**
 * Another attempt after a failure that the contract calls retryable, while the budget and the deadline allow. A stream is
 * retried until its first message arrived.
 */
export function retryLayer({ budget, random, clock, emit, retries: byMethod }: RetryParts): Layer {
  const retries = retryCounter();
  const madeOf = new Map<string, RetryPolicy>();

  const retryOf = (call: Call, policy: RetryPolicy): Retry => {
    const known = byMethod.get(call.scope);
    if (known && madeOf.get(call.scope) === policy) return known;
    const codes = new Set(policy.codes);
    // Not the call: what is made of the first one stays.
    const { attributes, scope: method } = call.called;
    const retry = createRetry(policy, {
      budget,
      random,
      clock,
      isRetryable: (error) => isAttemptTimeout(error) || codes.has(codeName(error)),
      pushback: pushbackOf,
      onRetry({ attempt, error }) {
        retries.add(1, { ...attributes, kind: "policy" });
        emit({ kind: "retry", method, attempt: attempt + 1, code: codeName(error) });
      },
      onGiveUp({ attempt, error, reason }) {
        if (attempt > 1 || reason === "budget") {
          emit({ kind: "gave-up", method, attempt, code: codeName(error), reason });
        }
      },
    });
    byMethod.set(call.scope, retry);
    madeOf.set(call.scope, policy);
    return retry;
  };

  return (next) => (call) => {
    const policy = call.policy.retry;
    if (call.policy.hedge && call.repeatable) return next(call);
    if (!policy || !call.repeatable) {
      budget.deposit();
      return next(call);
    }
    const retry = retryOf(call, policy);
    retry.begin();
    return next(call).catch((error: unknown) =>
      retry.resume<RpcResponse>(
        error,
        (attempt) => {
          call.attempt = attempt;
          return next(call);
        },
        call.signal,
        call.deadline,
      ),
    );
  };
}
