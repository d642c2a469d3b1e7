import type { Socket } from "node:net";

/** Enough of HTTP/2's preface to know it from any method of HTTP/1.1. */
const beginning = Buffer.from("PRI ");

/**
 * Tells from a connection's first octets whether it is HTTP/2 with prior knowledge, and gives them back to the socket. A connection
 * that says nothing in so many milliseconds is closed.
 */
export function sniffHttp2(socket: Socket, timeoutMs: number, tell: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const known = Math.min(seen.length, beginning.length);
    const mayBe = beginning.compare(seen, 0, known, 0, known) === 0;
    if (mayBe && known < beginning.length) return;
    stop();
    socket.pause();
    socket.unshift(seen);
    tell(mayBe);
    socket.resume();
  };
  const giveUp = (): void => void socket.destroy();
  const stop = (): void => {
    socket.off("data", onData).off("error", giveUp).off("end", giveUp).off("timeout", giveUp);
    socket.setTimeout(0);
  };
  socket.setTimeout(timeoutMs);
  socket.on("data", onData).on("error", giveUp).on("end", giveUp).on("timeout", giveUp);
}
