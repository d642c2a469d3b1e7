import { type Broker, type ConsumerState, NoSuchConsumer } from "../broker.ts";
import { durableName } from "../stream.ts";

/** A service's consumer of a stream. */
export interface ServiceConsumer {
  readonly service: string;
  /** Such as "SHOP_ORDER_V1". */
  readonly stream: string;
}

/** How far a service is with a stream. Throws NoSuchConsumer. */
export async function consumerState(
  { operations }: Broker,
  { service, stream }: ServiceConsumer,
): Promise<ConsumerState> {
  const state = await operations.consumer(stream, durableName(service));
  if (!state) throw new NoSuchConsumer(stream, durableName(service));
  return state;
}

/** Stops all instances of a service from taking events of a stream, until it is resumed; what they have begun they finish. */
export async function pauseConsumer(broker: Broker, consumer: ServiceConsumer): Promise<void> {
  await consumerState(broker, consumer);
  await broker.operations.setPaused(consumer.stream, durableName(consumer.service), true);
}

/** Also for a consumer that is gone, so that a service makes it anew: what a `replayStream` leaves that was broken off. */
export async function resumeConsumer(broker: Broker, consumer: ServiceConsumer): Promise<void> {
  await broker.operations.setPaused(consumer.stream, durableName(consumer.service), false);
}

/**
 * Gives a service a stream's events again, from a number or a time on. What its inbox remembers has no second effect: it is for a
 * service whose database was put back to an older copy. Throws NoSuchConsumer. Broken off in between, it may leave the consumer paused or
 * gone: `resumeConsumer` then lets the service begin with all that the stream has.
 */
export async function replayStream(broker: Broker, consumer: ServiceConsumer, from: bigint | Date): Promise<void> {
  await broker.operations.startFrom(consumer.stream, durableName(consumer.service), from);
}
