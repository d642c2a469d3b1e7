import { longestTimerMs } from "@weft/context";
import {
  EventEmitter,
  type IDefaultPolicyContext,
  type IFailureEvent,
  type IPolicy,
  type ISuccessEvent,
} from "cockatiel";
import { BulkheadRejectedError, type BulkheadRejection } from "./errors.ts";
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

/**
 * Bounds how many calls of a group run at once, so that one kind of call can't take all there is. It is cockatiel's `IPolicy`, but
 * neither its places nor its queue: those take a promise a call, and the queue doesn't hear abort, keeps the place of a call that is gone,
 * and runs a queued call in the async context (deadline, trace) of whichever call made room.
 */
export interface Bulkhead extends IPolicy {
  /**
   * Runs `fn` when there is a place, first come first served. Rejects with BulkheadRejectedError when there is none in time, and with
   * the signal's reason as soon as it aborts while the call is queued.
   */
  execute<T>(fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T, signal?: AbortSignal): Promise<T>;
  /** Takes a place if one is free and nobody waits for it. Who got it calls `leave` once. */
  tryEnter(): boolean;
  /** Waits for a place, at most `timeoutMs` where that is shorter than the policy's. Rejects as `execute` does; who got it calls `leave` once. */
  enter(signal?: AbortSignal, timeoutMs?: number): Promise<void>;
  /** Needs no `this`. */
  readonly leave: () => void;
  /** Whether a call would be run or queued now. */
  admits(): boolean;
  /** From now on these are its sizes: calls that run go on, those that wait keep their turn. */
  resize(policy: BulkheadPolicy): void;
  getState(): BulkheadState;
}

const never = new AbortController().signal;

export function createBulkhead(initial: BulkheadPolicy, options: BulkheadOptions = {}): Bulkhead {
  let policy = initial;
  const queue = new Set<() => void>();
  const successes = new EventEmitter<ISuccessEvent>();
  const failures = new EventEmitter<IFailureEvent>();
  let running = 0;
  let admitted = 0;
  let rejected = 0;

  function reject(reason: BulkheadRejection): BulkheadRejectedError {
    rejected += 1;
    const error = new BulkheadRejectedError(policy.group, reason);
    options.onReject?.(error);
    return error;
  }

  function take(): void {
    running += 1;
    admitted += 1;
  }

  function tryEnter(): boolean {
    if (running >= policy.maxConcurrent || queue.size > 0) return false;
    take();
    return true;
  }

  /** Gives free places to whoever waits longest. A place is taken here and now, so that no newcomer gets in between. */
  function admitWaiting(): void {
    for (const admit of queue) {
      if (running >= policy.maxConcurrent) return;
      queue.delete(admit);
      take();
      admit();
    }
  }

  function enter(signal = never, timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (tryEnter()) return Promise.resolve();
    if (queue.size >= policy.maxQueue) return Promise.reject(reject("full"));
    return new Promise((resolve, refuse) => {
      let timer: NodeJS.Timeout | undefined;
      const stopWaiting = () => {
        queue.delete(admit);
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => {
        stopWaiting();
        refuse(signal.reason);
      };
      const admit = () => {
        stopWaiting();
        resolve();
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const queueMs = policy.queueTimeoutMs ?? Number.POSITIVE_INFINITY;
      const longestMs = Math.min(timeoutMs, queueMs);
      if (Number.isFinite(longestMs)) {
        timer = setTimeout(
          () => {
            stopWaiting();
            refuse(reject(timeoutMs < queueMs ? "deadline" : "timeout"));
          },
          Math.min(longestMs, longestTimerMs),
        );
      }
      queue.add(admit);
    });
  }

  function leave(): void {
    running -= 1;
    if (queue.size > 0) admitWaiting();
  }

  async function execute<T>(
    fn: (context: IDefaultPolicyContext) => PromiseLike<T> | T,
    signal: AbortSignal = never,
  ): Promise<T> {
    signal.throwIfAborted();
    if (!tryEnter()) await enter(signal);
    const startedAt = performance.now();
    try {
      signal.throwIfAborted();
      const value = await fn({ signal });
      successes.emit({ duration: performance.now() - startedAt });
      return value;
    } catch (error) {
      failures.emit({ duration: performance.now() - startedAt, handled: false, reason: { error: error as Error } });
      throw error;
    } finally {
      leave();
    }
  }

  return {
    _altReturn: undefined as never,
    onSuccess: successes.addListener,
    onFailure: failures.addListener,
    execute,
    tryEnter,
    enter,
    leave,
    admits: () => running < policy.maxConcurrent || queue.size < policy.maxQueue,
    resize(next) {
      policy = next;
      admitWaiting();
    },
    getState: () => ({
      group: policy.group,
      running,
      queued: queue.size,
      maxConcurrent: policy.maxConcurrent,
      maxQueue: policy.maxQueue,
      admitted,
      rejected,
    }),
  };
}
