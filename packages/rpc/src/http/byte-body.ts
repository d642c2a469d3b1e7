import { MessageQueue } from "../message-queue.ts";

/** The octets of a request as they come, as a body that is read with backpressure. */
export function byteBody(consume: (octets: number) => void): {
  readonly body: AsyncIterable<Uint8Array>;
  /** False when the reader is behind: more should wait for `consume`. */
  push(bytes: Buffer, start: number, end: number): boolean;
  end(): void;
  /** Nobody wants what comes. */
  leave(): void;
  fail(error: unknown): void;
} {
  let isPaused = false;
  let owed = 0;
  const pay = (): void => {
    isPaused = false;
    const octets = owed;
    owed = 0;
    if (octets > 0) consume(octets);
  };
  const queue = new MessageQueue<Uint8Array>({
    pause: () => {
      isPaused = true;
    },
    resume: pay,
    // What nobody wants is thrown away, so that it doesn't fill the connection's window.
    leave: pay,
  });
  return {
    body: queue,
    push(bytes, start, end) {
      queue.push(Uint8Array.from(bytes.subarray(start, end)), end - start);
      if (isPaused) owed += end - start;
      else consume(end - start);
      return !isPaused;
    },
    end: () => queue.end(),
    leave: () => void queue.return(),
    fail: (error) => queue.fail(error),
  };
}
