import { Code, ConnectError } from "@connectrpc/connect";
import { longestTimerMs } from "@weft/context";
import { deadlinePassed } from "./errors.ts";

/** Resolves with `ready`; rejects as soon as the signal fires or the time is up. */
export function waitFor(ready: Promise<void>, signal: AbortSignal | undefined, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(deadlinePassed()), Math.min(ms, longestTimerMs));
    const onAbort = (): void => reject(ConnectError.from(signal?.reason, Code.Canceled));
    signal?.addEventListener("abort", onAbort, { once: true });
    ready.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    });
    if (signal?.aborted) onAbort();
  });
}
