import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

/**
 * Below the range that Linux hands to outgoing connections (32768 and up): a server that is killed and started again
 * must find its port still free.
 */
const PRIVATE_PORTS = { from: 20_000, to: 32_000 };

export type PortPlan = "dev" | "free";

const handedOut = new Set<number>();

/** `preferred` when nobody has it, else a free private port. No port is handed out twice by one process. */
export async function choosePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(PRIVATE_PORTS.from, PRIVATE_PORTS.to);
    if (handedOut.has(port) || !(await isFree(port))) continue;
    handedOut.add(port);
    return port;
  }
  throw new Error(`No free port between ${PRIVATE_PORTS.from} and ${PRIVATE_PORTS.to} after 200 tries.`);
}

export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** True when something accepts a connection there within a second. */
export function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}

/** Resolves when the port accepts connections; rejects with the signal's reason when it is aborted. */
export async function waitForPort(host: string, port: number, signal: AbortSignal): Promise<void> {
  await poll(() => answers(host, port), signal);
}

/** Asks again every 25 ms until the answer is yes. */
export async function poll(question: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await question()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
