import { bulkhead, type IDefaultPolicyContext, type IPolicy } from "cockatiel";
import { BulkheadRejectedError } from "./errors.ts";
import type { BulkheadPolicy } from "./method-policy.ts";

export interface BulkheadOptions {
  onReject?(error: BulkheadRejectedError): void;
}

export interface BulkheadState {
  readonly group: string;
  readonly running: number;
  readonly queued: number;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** Calls that were let in, at once or from the queue. */
  readonly admitted: number;
  /** Calls that found no place, or waited for longer than the queue timeout. */
  readonly rejected: number;
}

export interface Bulkhead extends IPolicy {
  /**
   * Runs `fn` when there is a place, first come first served. Rejects with BulkheadRejectedError when there is none in time, and with
   * the signal's reason as soon as it aborts while the call is queued.
   */
  execute<T>(fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
  /** Whether a call would be run or queued now. */
  admits(): boolean;
  getState(): BulkheadState;
}

type Release = () => void;
type Admit = (release: Release) => void;

const never = new AbortController().signal;

/**
 * Bounds how many calls of a group run at once, so that one kind of call can't take all there is. The places are cockatiel's; the
 * queue is ours, because cockatiel's doesn't hear abort, keeps the place of a call that is gone, and runs a queued call in the
 * async context (deadline, trace) of whichever call made room.
 */
export function createBulkhead(policy: BulkheadPolicy, options: BulkheadOptions = {}): Bulkhead {
  const { group, maxConcurrent, maxQueue, queueTimeoutMs } = policy;
  const places = bulkhead(maxConcurrent, 0);
  const queue = new Set<Admit>();
  let admitted = 0;
  let rejected = 0;

  function reject(reason: "full" | "timeout"): BulkheadRejectedError {
    rejected += 1;
    const error = new BulkheadRejectedError(group, reason);
    options.onReject?.(error);
    return error;
  }

  /** Gives free places to whoever waits longest. A place is taken here and now, so that no newcomer gets in between. */
  function admitNext(): void {
    for (const admit of queue) {
      if (places.executionSlots === 0) return;
      queue.delete(admit);
      const { promise, resolve } = Promise.withResolvers<void>();
      void places.execute(() => promise).then(admitNext);
      admit(resolve);
    }
  }

  function waitForPlace(signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, refuse) => {
      let timer: NodeJS.Timeout | undefined;
      const leave = () => {
        queue.delete(admit);
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        leave();
        refuse(signal.reason);
      };
      const admit: Admit = (release) => {
        leave();
        resolve(release);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (queueTimeoutMs !== undefined) {
        timer = setTimeout(() => {
          leave();
          refuse(reject("timeout"));
        }, queueTimeoutMs);
      }
      queue.add(admit);
    });
  }

  async function execute<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal = never,
  ): Promise<T> {
    signal.throwIfAborted();
    if (queue.size === 0 && places.executionSlots > 0) {
      admitted += 1;
      try {
        return await places.execute(fn, signal);
      } finally {
        if (queue.size > 0) admitNext();
      }
    }
    if (queue.size >= maxQueue) throw reject("full");
    const release = await waitForPlace(signal);
    try {
      signal.throwIfAborted();
      admitted += 1;
      return await fn({ signal });
    } finally {
      release();
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: places.onSuccess,
    onFailure: places.onFailure,
    execute,
    admits: () => places.executionSlots > 0 || queue.size < maxQueue,
    getState: () => ({
      group,
      running: maxConcurrent - places.executionSlots,
      queued: queue.size,
      maxConcurrent,
      maxQueue,
      admitted,
      rejected,
    }),
  };
}
