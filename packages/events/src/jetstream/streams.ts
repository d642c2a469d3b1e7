import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { pause } from "@weft/store";
import { deadLetterStream, type StreamSpec } from "../stream.ts";
import { firstAnswer } from "./first-answer.ts";

export interface StreamLimits {
  /** How long events are kept, in milliseconds; default 7 days. The inbox remembers longer. */
  readonly maxAgeMs: number;
  /** How long dead letters are kept, in milliseconds; default 90 days. */
  readonly deadLetterMaxAgeMs: number;
  /** Milliseconds in which an id is kept once; default 120,000. */
  readonly duplicateWindowMs: number;
  /** Copies of each stream in a cluster; default 1. A stream that has more keeps them. */
  readonly replicas: number;
}

/** JetStream's durations are nanoseconds. */
export const nanos = (ms: number): number => Math.round(ms * 1e6);

const streamNotFound = 404;
const noSuitablePeers = 10_005;

/** Too few nodes of the cluster are up for the copies that are asked for. */
export function lacksNodes(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === noSuitablePeers;
}

/**
 * When the stream was created, to the same nanosecond each time. The nodes of a cluster each have a time of their own, and
 * the one that leads answers: so the first that was seen is kept in the description, which all of them share.
 */
export function createdAt({ config, created }: StreamInfo): string {
  const { description = "" } = config;
  return description.startsWith(createdPrefix) ? description.slice(createdPrefix.length) : created;
}

const createdPrefix = "created ";

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
  } satisfies Partial<StreamConfig>;
  const info = (await findStream(manager, spec.name)) ?? (await addStream(manager, spec.name, limits.replicas, wanted));
  const { config } = info;
  const description = `${createdPrefix}${createdAt(info)}`;
  const num_replicas = Math.max(config.num_replicas, limits.replicas);
  if (
    wanted.subjects.some((subject) => !config.subjects?.includes(subject)) ||
    config.max_age !== wanted.max_age ||
    config.duplicate_window !== wanted.duplicate_window ||
    config.num_replicas !== num_replicas ||
    config.description !== description
  ) {
    return update(manager, info, { ...config, ...wanted, description, num_replicas });
  }
  return info;
}

async function addStream(
  manager: JetStreamManager,
  name: string,
  replicas: number,
  wanted: Pick<StreamConfig, "subjects"> & Partial<StreamConfig>,
): Promise<StreamInfo> {
  const config = {
    name,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    num_replicas: replicas,
    ...wanted,
  };
  const added = await manager.streams.add(config).catch((error: unknown) => ({ error }));
  if (!("error" in added) && isReady(added)) return added;
  // Another process is creating it at this moment: the server may then call that an overlap of subjects.
  const others = await findStream(manager, name);
  if (others) return others;
  throw "error" in added ? added.error : new Error(`the stream ${name} was deleted while it was being created`);
}

/** More copies than there are nodes for now are made later: until then the stream does with those that it has. */
async function update(manager: JetStreamManager, info: StreamInfo, config: StreamConfig): Promise<StreamInfo> {
  try {
    return await manager.streams.update(config.name, config);
  } catch (error) {
    if (lacksNodes(error)) return info;
    throw error;
  }
}

/** Undefined where there is none. A stream that is being created is waited for. */
export async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  for (let looks = 1; ; looks++) {
    const info = await firstAnswer(() => describeStream(manager, name));
    if (!info || isReady(info)) return info;
    if (looks === 500) throw new Error(`NATS does not finish creating the stream ${name}`);
    await pause(10, undefined);
  }
}

async function describeStream(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === streamNotFound) return undefined;
    throw error;
  }
}

/**
 * nats-server up to 2.9.14 shows a stream, without the time of its creation, before it has its files; whoever asks more of it then,
 * a message for example, ends the server.
 */
function isReady({ created }: StreamInfo): boolean {
  return !created.startsWith("0001-");
}
