import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { ConsumeOptions } from "../broker.ts";
import { createdAt, nanos } from "./streams.ts";

const consumerNotFound = 404;

/**
 * What the server calls a consumer: another name in another stream, though that has the name of one that was deleted. An
 * answer goes to a message's number, and one that is under way to a stream that is gone must not meet the next one's.
 */
export function nameAtBroker(consumer: string, stream: StreamInfo): string {
  return `${consumer}_${createdAt(stream).replace(/\D/g, "")}`;
}

/** Creates the durable consumer when it is missing, and mends its limits; where it began stays as it is. */
export async function ensureConsumer(manager: JetStreamManager, name: string, options: ConsumeOptions): Promise<void> {
  const { stream, start, filter = stream.subjects[0] } = options;
  const limits = { ack_wait: nanos(options.ackWaitMs), max_ack_pending: options.maxAckPending };
  const config = await findConsumer(manager, stream.name, name);
  if (!config) {
    await manager.consumers.add(stream.name, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      replay_policy: ReplayPolicy.Instant,
      // Tries are counted by the inbox: waiting for a predecessor is none.
      max_deliver: -1,
      ...(filter !== undefined && { filter_subject: filter }),
      ...(start === "beginning"
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.toISOString() }),
      ...limits,
    });
  } else if (config.ack_wait !== limits.ack_wait || config.max_ack_pending !== limits.max_ack_pending) {
    await manager.consumers.update(stream.name, name, { ...config, ...limits });
  }
}

async function findConsumer(
  manager: JetStreamManager,
  stream: string,
  consumer: string,
): Promise<ConsumerConfig | undefined> {
  try {
    return (await manager.consumers.info(stream, consumer)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === consumerNotFound) return undefined;
    throw error;
  }
}
