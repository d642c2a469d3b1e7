import { createRetry, type MethodPolicy, type Retry, type RetryBudget } from "@weft/policy";
import type { RpcResponse } from "@weft/rpc";
import { meter } from "@weft/telemetry";
import type { Call, Layer } from "../call.ts";
import { codeName, isAttemptTimeout } from "../errors.ts";
import { withFirstMessage } from "../first-message.ts";
import type { MeshEvent } from "../mesh-event.ts";

export interface RetryParts {
  readonly budget: RetryBudget;
  readonly random: () => number;
  readonly emit: (event: MeshEvent) => void;
}

/**
 * Another attempt after a failure that the contract calls retryable, while the budget and the deadline allow. A stream is
 * retried until its first message arrived.
 */
export function retryLayer({ budget, random, emit }: RetryParts): Layer {
  const retries = meter("weft.client").createCounter("weft.client.retries");
  const byMethod = new Map<string, Retry>();

  const retryOf = (call: Call, policy: NonNullable<MethodPolicy["retry"]>): Retry => {
    const known = byMethod.get(call.scope);
    if (known) return known;
    const codes = new Set(policy.codes);
    const retry = createRetry(policy, {
      budget,
      random,
      isRetryable: (error) => isAttemptTimeout(error) || codes.has(codeName(error)),
      onRetry({ attempt, error }) {
        retries.add(1, { "rpc.service": call.method.parent.typeName, "rpc.method": call.method.name });
        emit({ kind: "retry", method: call.scope, attempt: attempt + 1, code: codeName(error) });
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
      async (attempt, signal) => {
        const response = await next({ ...call, attempt, signal });
        return response.stream ? withFirstMessage(response) : response;
      },
      call.signal,
      call.deadline,
    );
  };
}
