export type { Outcome } from "./inbox-metrics.ts";
export { type Subscriber, type SubscriberOptions, startSubscriber } from "./subscriber.ts";
export { type ParkedKey, unpark } from "./unpark.ts";
