import type { CallExplanation } from "./explanation.ts";

export interface ExplainOptions {
  /** The share of traces that are explained, from 0 to 1. It is told by the trace's id, so that all services explain the same ones. */
  readonly ratio: number;
  /** Calls that are kept, the newest; default 1,000. */
  readonly keep?: number;
  /** What time it is, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Keeps what became of some calls, by trace. */
export interface Recorder {
  /** Whether a call of this trace is to be explained. */
  wants(traceId: string): boolean;
  /** Milliseconds since 1970. */
  now(): number;
  add(explanation: CallExplanation): void;
  of(traceId: string): readonly CallExplanation[];
}

export function createRecorder({ ratio, keep = 1_000, now = Date.now }: ExplainOptions): Recorder {
  if (!(ratio >= 0 && ratio <= 1)) throw new RangeError(`explain.ratio is ${ratio}; it must be a number from 0 to 1.`);
  const bound = ratio * 2 ** 32;
  const kept: CallExplanation[] = [];
  let next = 0;
  return {
    // The last digits of a trace id are random (W3C Trace Context, level 2).
    wants: (traceId) => Number.parseInt(traceId.slice(-8), 16) < bound,
    now,
    add(explanation) {
      kept[next] = explanation;
      next = (next + 1) % keep;
    },
    of: (traceId) =>
      kept.filter((each) => each.traceId === traceId).sort((one, other) => one.startedAt - other.startedAt),
  };
}
