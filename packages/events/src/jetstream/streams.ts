import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { deadLetterStream, type StreamSpec } from "../stream.ts";

export interface StreamLimits {
  /** How long events are kept, in milliseconds; default 7 days. The inbox remembers longer. */
  readonly maxAgeMs: number;
  /** How long dead letters are kept, in milliseconds; default 90 days. */
  readonly deadLetterMaxAgeMs: number;
  /** Milliseconds in which an id is kept once; default 120,000. */
  readonly duplicateWindowMs: number;
  /** Copies of each stream in a cluster; default 1. */
  readonly replicas: number;
}

/** JetStream's durations are nanoseconds. */
export const nanos = (ms: number): number => Math.round(ms * 1e6);

const streamNotFound = 404;

/** Creates the stream when it is missing and mends what differs; resolves with what it is then; two processes may do so at once. */
export async function ensureStream(
  manager: JetStreamManager,
  spec: StreamSpec,
  limits: StreamLimits,
): Promise<StreamInfo> {
  const wanted = {
    subjects: [...spec.subjects],
    max_age: nanos(spec.name === deadLetterStream.name ? limits.deadLetterMaxAgeMs : limits.maxAgeMs),
    duplicate_window: nanos(limits.duplicateWindowMs),
    num_replicas: limits.replicas,
  } satisfies Partial<StreamConfig>;
  const info = await findStream(manager, spec.name);
  if (!info) {
    return manager.streams.add({
      name: spec.name,
      retention: RetentionPolicy.Limits,
      storage: StorageType.File,
      discard: DiscardPolicy.Old,
      ...wanted,
    });
  }
  const { config } = info;
  if (
    wanted.subjects.some((subject) => !config.subjects?.includes(subject)) ||
    config.max_age !== wanted.max_age ||
    config.duplicate_window !== wanted.duplicate_window ||
    config.num_replicas !== wanted.num_replicas
  ) {
    return manager.streams.update(spec.name, { ...config, ...wanted });
  }
  return info;
}

async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === streamNotFound) return undefined;
    throw error;
  }
}
