import { create } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { outsideOfCalls } from "@weft/context";
import { Health } from "@weft/contracts";
import { codeName } from "@weft/rpc";

/** Asks an endpoint that could not be reached whether it is there, until it is. */
export interface Probe {
  readonly isRunning: boolean;
  /** Asks at once, and then with growing pauses. */
  start(): void;
  stop(): void;
}

export interface ProbeOptions {
  /** Resolves when there is an answer. */
  readonly ask: () => Promise<void>;
  readonly onThere: () => void;
  /** A question went without an answer. */
  readonly onGone: () => void;
  readonly random: () => number;
}

/** Between two questions. The longest is also how much later than need be an endpoint is used again. */
const pauses = { firstMs: 100, multiplier: 2, mostMs: 1_000 };
const answerMs = 1_000;

export function createProbe({ ask, onThere, onGone, random }: ProbeOptions): Probe {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;

  async function round(pauseMs: number): Promise<void> {
    try {
      await ask();
    } catch {
      if (!isRunning) return;
      onGone();
      const next = Math.min(pauses.mostMs, pauseMs * pauses.multiplier);
      timer = setTimeout(() => void round(next), pauseMs * (0.5 + random() / 2)).unref();
      return;
    }
    if (!isRunning) return;
    isRunning = false;
    onThere();
  }

  return {
    get isRunning() {
      return isRunning;
    },
    start() {
      if (isRunning) return;
      isRunning = true;
      // Not for the call that found it gone.
      void outsideOfCalls(() => round(pauses.firstMs));
    },
    stop() {
      isRunning = false;
      clearTimeout(timer);
    },
  };
}

/**
 * gRPC's health check: whatever the answer says, the process that gives it is alive. But NOT_FOUND comes from one that doesn't have the
 * service, at an address that has changed hands.
 */
export async function askWhetherThere(transport: Transport, service: string): Promise<void> {
  const { check } = Health.method;
  try {
    await transport.unary(check, undefined, answerMs, undefined, create(check.input, { service }), undefined);
  } catch (error) {
    if (silence.has(codeName(error))) throw error;
  }
}

const silence: ReadonlySet<string> = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "NOT_FOUND"]);
