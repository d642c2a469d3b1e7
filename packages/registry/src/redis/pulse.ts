import type { Load } from "../registry.ts";

/** Memory that the main thread writes and the heart reads: proof that the main thread's event loop still turns, and its load. */
export interface PulseWriter {
  tick(load: Load): void;
}

export interface PulseReader {
  /** A number that changes with every tick. */
  ticks(): number;
  load(): Load;
}

const ticksAt = 0;
const loadAt = 8;

export function createPulseMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(loadAt + 2 * Float64Array.BYTES_PER_ELEMENT);
}

export function createPulseWriter(memory: SharedArrayBuffer): PulseWriter {
  const ticks = new Int32Array(memory, ticksAt, 1);
  const load = new Float64Array(memory, loadAt, 2);
  return {
    tick({ eventLoopDelayMs, inFlight }) {
      load[0] = eventLoopDelayMs;
      load[1] = inFlight;
      Atomics.add(ticks, 0, 1);
    },
  };
}

export function createPulseReader(memory: SharedArrayBuffer): PulseReader {
  const ticks = new Int32Array(memory, ticksAt, 1);
  const load = new Float64Array(memory, loadAt, 2);
  return {
    ticks: () => Atomics.load(ticks, 0),
    load: () => ({ eventLoopDelayMs: load[0] ?? 0, inFlight: load[1] ?? 0 }),
  };
}
