import type { StoredMessage } from "./broker.ts";
import type { MemoryConsumer } from "./memory-consumer.ts";

/** A stream of a broker in memory. */
export interface MemoryStream {
  readonly created: string;
  /** What it holds, and the number of its newest message, also of one that it has dropped. */
  readonly messages: StoredMessage[];
  lastSequence: bigint;
  readonly consumers: Map<string, MemoryConsumer>;
  readonly recent: Map<string, StoredMessage>;
}
