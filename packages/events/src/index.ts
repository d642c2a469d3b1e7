export {
  type Broker,
  BrokerUnavailable,
  type ConsumeOptions,
  type Consumption,
  type IncomingMessage,
  type OutgoingMessage,
  type StreamState,
} from "./broker.ts";
export { EventError, type EventErrorReason } from "./event-error.ts";
export { deadLetterHeaders, eventHeaders, type Headers } from "./event-headers.ts";
export type { EventType } from "./event-type.ts";
export { createMemoryBroker, type MemoryBrokerOptions } from "./memory-broker.ts";
export { eventMigrations } from "./migrations.ts";
export { maxEventBytes, type PublishedEvent, type PublishOptions, publish } from "./publish.ts";
export { deadLetterStream, type StreamSpec, streamOf } from "./stream.ts";
export {
  type BatchOptions,
  type Delivery,
  type Received,
  RetryLater,
  type Subscription,
  type SubscriptionOptions,
  subscribe,
  subscribeBatch,
  Unprocessable,
} from "./subscribe.ts";
