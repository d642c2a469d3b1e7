import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
} from "@nats-io/jetstream";
import type { ConsumeOptions } from "../broker.ts";
import { nanos } from "./streams.ts";

const consumerNotFound = 404;

/** Creates the durable consumer when it is missing, and mends its limits; where it began stays as it is. */
export async function ensureConsumer(manager: JetStreamManager, options: ConsumeOptions): Promise<void> {
  const { stream, consumer, start, filter = stream.subjects[0] } = options;
  const limits = { ack_wait: nanos(options.ackWaitMs), max_ack_pending: options.maxAckPending };
  const config = await findConsumer(manager, stream.name, consumer);
  if (!config) {
    await manager.consumers.add(stream.name, {
      durable_name: consumer,
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
    await manager.consumers.update(stream.name, consumer, { ...config, ...limits });
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
