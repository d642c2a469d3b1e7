import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { mapMessages } from "./stream.ts";

/** A response of either shape: one message, or a stream of them. */
export type RpcResponse = UnaryResponse | StreamResponse;

/**
 * Runs a call inside something that must last as long as the call does (a bulkhead's slot, a breaker's judgement, a
 * span), and hands the response out as soon as it is there. A unary call ends with its response; a stream when its last
 * message was read, when it failed, when its reader left, or when `signal` fired.
 *
 * @param hold runs the function that it gets and lasts until its promise settles.
 */
export function untilComplete<R extends RpcResponse>(
  hold: (run: () => Promise<void>) => Promise<void>,
  call: () => Promise<R>,
  signal: AbortSignal | undefined,
): Promise<R> {
  return new Promise<R>((resolve, reject) => {
    hold(async () => {
      const response = await call();
      if (!response.stream) return resolve(response);
      const ended = Promise.withResolvers<void>();
      const onAbort = (): void => ended.reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const message = mapMessages(response.message as AsyncIterable<unknown>, {
        end(error) {
          signal?.removeEventListener("abort", onAbort);
          if (error === undefined) ended.resolve();
          else ended.reject(error);
        },
      });
      resolve({ ...response, message } as R);
      if (signal?.aborted) onAbort();
      await ended.promise;
    }).catch(reject);
  });
}
