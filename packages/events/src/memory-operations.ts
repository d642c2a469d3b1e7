import { type BrokerOperations, NoSuchConsumer } from "./broker.ts";
import type { MemoryStream } from "./memory-stream.ts";
import { matchesSubject } from "./stream.ts";

/** What operators ask of a broker in memory; `reach` throws while it is away. */
export function createMemoryOperations(
  streams: ReadonlyMap<string, MemoryStream>,
  reach: () => void,
): BrokerOperations {
  const messagesOf = (stream: string) => streams.get(stream)?.messages ?? [];
  const consumerOf = (stream: string, consumer: string) => streams.get(stream)?.consumers.get(consumer);
  return {
    async read(stream, subject, after) {
      reach();
      return messagesOf(stream).find((each) => each.sequence > after && matchesSubject(subject, each.subject));
    },
    async get(stream, sequence) {
      reach();
      return messagesOf(stream).find((each) => each.sequence === sequence);
    },
    async delete(stream, sequence) {
      reach();
      const index = messagesOf(stream).findIndex((each) => each.sequence === sequence);
      return index >= 0 && messagesOf(stream).splice(index, 1).length > 0;
    },
    async consumer(stream, consumer) {
      reach();
      const found = consumerOf(stream, consumer);
      return found && { pending: found.pending, unanswered: found.unanswered, paused: found.paused };
    },
    async setPaused(stream, consumer, paused) {
      reach();
      const found = consumerOf(stream, consumer);
      if (found) found.paused = paused;
    },
    async startFrom(stream, consumer, from) {
      reach();
      const found = consumerOf(stream, consumer);
      if (!found) throw new NoSuchConsumer(stream, consumer);
      const isIncluded = (sequence: bigint, storedAt: Date): boolean =>
        from instanceof Date ? storedAt >= from : sequence >= from;
      found.restart(messagesOf(stream).filter(({ sequence, storedAt }) => isIncluded(sequence, storedAt)));
    },
  };
}
