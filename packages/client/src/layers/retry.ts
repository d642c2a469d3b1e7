import type { Clock } from "@weft/context";
import { createRetry, type MethodPolicy, type Retry, type RetryBudget } from "@weft/policy";
import { codeName, type RpcResponse } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import type { Call, Layer } from "../call.ts";
import { isAttemptTimeout } from "../errors.ts";
import type { MeshEvent } from "../mesh-event.ts";

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
  const retries = meter("weft.client").createCounter("weft.client.retries");

  const retryOf = (call: Call, policy: NonNullable<MethodPolicy["retry"]>): Retry => {
    const known = byMethod.get(call.scope);
    if (known) return known;
    const codes = new Set(policy.codes);
    const retry = createRetry(policy, {
      budget,
      random,
      clock,
      isRetryable: (error) => isAttemptTimeout(error) || codes.has(codeName(error)),
      onRetry({ attempt, error }) {
        retries.add(1, { "rpc.service": call.method.parent.typeName, "rpc.method": call.method.name });
        emit({ kind: "retry", method: call.scope, attempt: attempt + 1, code: codeName(error) });
      },
      onGiveUp({ attempt, error, reason }) {
        if (attempt > 1 || reason === "budget") {
          emit({ kind: "gave-up", method: call.scope, attempt, code: codeName(error), reason });
        }
      },
    });
    byMethod.set(call.scope, retry);
    return retry;
  };

  return (next) => (call) => {
    const policy = call.policy.retry;
    if (call.policy.hedge) return next(call);
    if (!policy || !call.repeatable) {
      budget.deposit();
      return next(call);
    }
    return retryOf(call, policy).execute<RpcResponse>(
      (attempt, signal) => next({ ...call, attempt, signal }),
      call.signal,
      call.deadline,
    );
  };
}
