import type { StreamResponse, UnaryResponse } from "@connectrpc/connect";
import { mapMessages } from "./stream.ts";

/** A response of either shape: one message, or a stream of them. */
export type RpcResponse = UnaryResponse | StreamResponse;

/**
 * The same response, after which `end` is told once that the call is over: a unary call with its response, a stream when its last message
 * was read, when it failed, when its reader left, or when the signal (asked for when the response is there) fired. `end` gets the error that
 * ended it, or undefined; what it returns is told in the place of the error of a call that got no response.
 */
export function whenOver<R extends RpcResponse>(
  response: Promise<R>,
  signal: () => AbortSignal | undefined,
  end: (error: unknown) => unknown,
): Promise<R> {
  return response.then(
    (answer) => {
      if (answer.stream) return streamWithEnd(answer, signal(), end) as R;
      end(undefined);
      return answer;
    },
    (error: unknown) => {
      throw end(error) ?? error;
    },
  );
}

function streamWithEnd(
  response: StreamResponse,
  signal: AbortSignal | undefined,
  end: (error: unknown) => unknown,
): StreamResponse {
  let isOver = false;
  const endOnce = (error: unknown): void => {
    signal?.removeEventListener("abort", onAbort);
    if (isOver) return;
    isOver = true;
    end(error);
  };
  const onAbort = (): void => endOnce(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const message = mapMessages(response.message as AsyncIterable<unknown>, { end: endOnce });
  if (signal?.aborted) onAbort();
  return { ...response, message } as StreamResponse;
}
