import { Code, ConnectError } from "@connectrpc/connect";
import { longestTimerMs } from "@weft/context";
import { deadlinePassed } from "@weft/rpc";

/** Waits to be called from the set. Rejects as soon as the signal fires or the time, in milliseconds, is up; nothing of it stays. */
export function waitIn(waiting: Set<() => void>, signal: AbortSignal | undefined, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting.delete(go);
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const go = (): void => {
      leave();
      resolve();
    };
    const onAbort = (): void => {
      leave();
      reject(ConnectError.from(signal?.reason, Code.Canceled));
    };
    const expire = (): void => {
      leave();
      reject(deadlinePassed());
    };
    const timer = setTimeout(expire, Math.min(ms, longestTimerMs));
    waiting.add(go);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}
