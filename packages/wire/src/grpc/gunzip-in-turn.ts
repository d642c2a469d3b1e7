import { gunzip } from "node:zlib";

/** As many as Node has threads for: more would only hold memory. */
const mostRunning = 4;

type Done = (error: NodeJS.ErrnoException | null, message: Buffer) => void;

const waiting = new Set<() => void>();
let running = 0;

/** Decompresses, a few messages of the process at a time, since a small message may become a large one. */
export function gunzipInTurn(bytes: Buffer, maxOutputLength: number, done: Done): void {
  const start = (): void => {
    running += 1;
    gunzip(bytes, { maxOutputLength }, (error, message) => {
      running -= 1;
      const [next] = waiting;
      if (next !== undefined) {
        waiting.delete(next);
        next();
      }
      done(error, message);
    });
  };
  if (running < mostRunning) start();
  else waiting.add(start);
}
