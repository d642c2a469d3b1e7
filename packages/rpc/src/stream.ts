import { AsyncLocalStorage } from "node:async_hooks";

/** What to do at the turns of a stream of messages. */
export interface MessageHooks<T> {
  /** Called for each message; what it returns is passed on. */
  message?(message: T): T;
  /** Called for the error that ends the stream; what it returns is thrown. */
  error?(error: unknown): unknown;
  /** Called exactly once, however the stream ends: also when the reader leaves early. */
  end?(error: unknown): void;
}

/** `messages`, with hooks. The reader's `return` and `throw` reach the source. */
export async function* mapMessages<T>(
  messages: AsyncIterable<T>,
  hooks: MessageHooks<T>,
): AsyncGenerator<T, void, undefined> {
  let failure: unknown;
  try {
    for await (const message of messages) yield hooks.message ? hooks.message(message) : message;
  } catch (error) {
    failure = hooks.error ? hooks.error(error) : error;
    throw failure;
  } finally {
    hooks.end?.(failure);
  }
}

/** `messages`, until `signal` fires: then the reader gets its reason at once, and the source is told to stop. */
export async function* abortable<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const source = messages[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await Promise.race([source.next(), aborted.promise]);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a source that is stuck in an await would hold its reader here.
    source.return?.()?.catch(() => {});
  }
}

/** `messages`, made in the async context of this call: a generator's body runs where it is read, and so would lose it. */
export function inCurrentContext<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  const restore = AsyncLocalStorage.snapshot();
  return {
    [Symbol.asyncIterator]() {
      const source = restore(() => messages[Symbol.asyncIterator]());
      return {
        next: () => restore(() => source.next()),
        return: (value) => restore(() => source.return?.(value) ?? Promise.resolve({ done: true, value })),
        throw: (error) => restore(() => source.throw?.(error) ?? Promise.reject(error)),
      };
    },
  };
}
