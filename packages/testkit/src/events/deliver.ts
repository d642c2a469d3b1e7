import { randomUUID } from "node:crypto";
import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import type { Delivery, Subscription } from "@weft/events";

/** A service's subscriptions, and the database of their inbox. */
export interface Consumer {
  readonly store: { transaction<T>(work: () => Promise<T>): Promise<T> };
  readonly subscriptions: readonly Subscription[];
}

/**
 * Hands an event to the subscription of its type as the inbox does: in one transaction, which the handler's own join.
 * Rejects as the handler does, or when nobody subscribes to it. Resolves with what the handler was told of the event,
 * which `told` overrides.
 */
export async function deliver<D extends DescMessage>(
  { store, subscriptions }: Consumer,
  schema: D,
  event: MessageInitShape<D>,
  told: Partial<Delivery> = {},
): Promise<Delivery> {
  const subscription = subscriptions.find(({ type }) => type.subject === schema.typeName);
  if (!subscription) throw new Error(`nobody subscribes to ${schema.typeName}`);
  const message = create(schema, event);
  const delivery: Delivery = {
    id: randomUUID(),
    subject: schema.typeName,
    key: String((message as unknown as Record<string, unknown>)[subscription.type.key]),
    keySeq: 1n,
    correlationId: "test",
    occurredAt: new Date(),
    attempt: 1,
    signal: new AbortController().signal,
    ...told,
  };
  await store.transaction(() => subscription.handler(message, delivery));
  return delivery;
}
