import type { Interceptor } from "@connectrpc/connect";
import { untilComplete } from "@weft/rpc";

export interface InFlight {
  /** Calls that run now. */
  readonly count: number;
}

/** Counts the calls that run, for the load that an instance reports. */
export function inFlightLayer(): { readonly layer: Interceptor; readonly inFlight: InFlight } {
  const inFlight = { count: 0 };
  const layer: Interceptor = (next) => (request) =>
    untilComplete(
      async (run) => {
        inFlight.count += 1;
        try {
          await run();
        } finally {
          inFlight.count -= 1;
        }
      },
      () => next(request),
      request.signal,
    );
  return { layer, inFlight };
}
