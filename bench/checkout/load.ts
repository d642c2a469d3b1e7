import { fork } from "node:child_process";
import { join } from "node:path";

/** Whom the customers order from, and what. */
export interface Market {
  /** host:port of the gateway's gRPC. */
  readonly gateway: string;
  /** One a customer. */
  readonly userIds: readonly string[];
  readonly productIds: readonly string[];
}

export interface Assignment {
  /** How many customers order, each one order after the other. */
  readonly crowd: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** The share of orders that are traced, 0 to 1. */
  readonly traced: number;
}

export interface Ordering {
  /** Milliseconds from POST to CONFIRMED of each order that was confirmed in the measured time. */
  readonly orders: readonly number[];
  /** All orders, the warm-up's and the last ones included. */
  readonly placed: number;
  readonly errors: number;
  readonly traceIds: readonly string[];
}

/** The customers, in a process of their own. One assignment at a time. */
export interface Customers {
  readonly pid: number | undefined;
  order(assignment: Assignment): Promise<Ordering>;
  close(): void;
}

export function startCustomers(market: Market, signal: AbortSignal): Customers {
  const child = fork(join(import.meta.dirname, "customers.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  child.send(market);
  return {
    pid: child.pid,
    order(assignment) {
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => {
          child.off("message", answered).off("exit", ended);
          signal.removeEventListener("abort", stop);
          settle();
        };
        const answered = (ordering: Ordering) => end(() => resolve(ordering));
        const ended = (code: number | null) =>
          end(() => reject(new Error(`the customers' process ended with ${code}`)));
        const stop = () => end(() => reject(signal.reason));
        if (signal.aborted) return reject(signal.reason);
        child.on("message", answered).on("exit", ended);
        signal.addEventListener("abort", stop, { once: true });
        child.send(assignment);
      });
    },
    close: () => void child.kill("SIGKILL"),
  };
}
