import type { Layer } from "../layer.ts";

export interface InFlight {
  /** Calls that run now. */
  readonly count: number;
}

/** Counts the calls that run, for the load that an instance reports. */
export function inFlightLayer(): { readonly layer: Layer; readonly inFlight: InFlight } {
  const inFlight = { count: 0 };
  const leave = (): void => {
    inFlight.count -= 1;
  };
  const layer: Layer = (next) => (call) => {
    inFlight.count += 1;
    call.atEnd(leave);
    return next(call);
  };
  return { layer, inFlight };
}
