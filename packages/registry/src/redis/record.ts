import type { Instance, InstanceState, Load, Metadata, Registration } from "../registry.ts";

/** The part of a record that stays the same for the whole life of a lease. No host has a space. */
export function encodeFacts({ host, port, metadata }: Registration): string {
  return `${host} ${port} ${JSON.stringify(metadata)}`;
}

export function encodeLoad({ eventLoopDelayMs, inFlight }: Load): string {
  return `${eventLoopDelayMs.toFixed(1)} ${inFlight}`;
}

/** Reads what Redis holds of instances: "<delay> <in flight> <epoch> <state> <host> <port> <metadata>". */
export interface RecordDecoder {
  /** Undefined for what no registry of ours wrote. */
  decode(service: string, instance: string, text: string): Instance | undefined;
}

/** Most instances of a service say the same of themselves: they share one object, and it is parsed once. */
export function createRecordDecoder(): RecordDecoder {
  const parsed = new Map<string, Metadata | undefined>();

  function metadataOf(text: string): Metadata | undefined {
    if (parsed.has(text)) return parsed.get(text);
    if (parsed.size >= 64) parsed.clear();
    const metadata = parseMetadata(text);
    parsed.set(text, metadata);
    return metadata;
  }

  return {
    decode(service, instance, text) {
      const afterDelay = text.indexOf(" ");
      const afterInFlight = text.indexOf(" ", afterDelay + 1);
      const afterEpoch = text.indexOf(" ", afterInFlight + 1);
      const afterState = text.indexOf(" ", afterEpoch + 1);
      const afterHost = text.indexOf(" ", afterState + 1);
      const afterPort = text.indexOf(" ", afterHost + 1);
      // What isn't found makes the next search begin anew, so that the last is no further than the first.
      if (afterDelay < 1 || afterPort <= afterHost || afterHost <= afterState || afterState <= afterEpoch)
        return undefined;
      const epoch = Number(text.slice(afterInFlight + 1, afterEpoch));
      const state = text.slice(afterEpoch + 1, afterState);
      const host = text.slice(afterState + 1, afterHost);
      const port = Number(text.slice(afterHost + 1, afterPort));
      const metadata = metadataOf(text.slice(afterPort + 1));
      if (!Number.isSafeInteger(epoch) || !isState(state) || host === "") return undefined;
      if (!Number.isInteger(port) || metadata === undefined) return undefined;
      const eventLoopDelayMs = Number(text.slice(0, afterDelay)) || 0;
      const inFlight = Number(text.slice(afterDelay + 1, afterInFlight)) || 0;
      return { service, instance, host, port, metadata, epoch, state, load: { eventLoopDelayMs, inFlight } };
    },
  };
}

function isState(text: string): text is InstanceState {
  return text === "UP" || text === "DRAINING" || text === "DOWN";
}

function parseMetadata(text: string): Metadata | undefined {
  try {
    const metadata: unknown = JSON.parse(text);
    return typeof metadata === "object" && metadata !== null ? Object.freeze(metadata as Metadata) : undefined;
  } catch {
    return undefined;
  }
}
