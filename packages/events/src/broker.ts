import type { Headers } from "./event-headers.ts";
import type { StreamSpec } from "./stream.ts";

/**
 * Keeps events between services. What it promises: a published event that it acknowledged is delivered at least once
 * to each consumer of its stream, in the stream's order the first time, again after a NAK's delay, and again when it
 * was not acknowledged in time. Order across redeliveries is the subscriber's business.
 */
export interface Broker {
  /**
   * Resolves once the broker keeps the event; the stream is created when it is missing. The same id within the
   * broker's duplicate window is kept once. Rejects with BrokerUnavailable while the broker can't be reached.
   */
  publish(message: OutgoingMessage): Promise<{ readonly sequence: bigint; readonly duplicate: boolean }>;
  /** What tells whether the broker still has what it acknowledged; a stream that is missing is created. Rejects as `publish` does. */
  streamState(stream: StreamSpec): Promise<StreamState>;
  /** Delivers to one durable consumer, which several processes may share. Waits for a broker that is away, for ever. */
  consume(options: ConsumeOptions): Consumption;
  /** Calls back each time the broker can be reached again; once for now if it can be. */
  onAvailable(callback: () => void): () => void;
  close(): Promise<void>;
}

export interface StreamState {
  /** Changes when the stream was deleted and created again. */
  readonly created: string;
  /** The number of its newest event, also of one that it has dropped; lower than before once the broker was rolled back. */
  readonly lastSequence: bigint;
}

export interface OutgoingMessage {
  readonly stream: StreamSpec;
  readonly subject: string;
  readonly id: string;
  readonly headers: Headers;
  readonly data: Uint8Array;
}

export interface ConsumeOptions {
  readonly stream: StreamSpec;
  /** The consumer's durable name within the stream. */
  readonly consumer: string;
  /** Where a consumer that doesn't exist yet begins. */
  readonly start: "beginning" | Date;
  /** Milliseconds after which a message without an answer is delivered again. */
  readonly ackWaitMs: number;
  /** Messages that may be unanswered at once, over all processes of the consumer. */
  readonly maxAckPending: number;
  /** Messages that this process takes ahead. */
  readonly prefetch: number;
  /** Called in the order of the stream; must not throw. */
  readonly onMessage: (message: IncomingMessage) => void;
}

export interface Consumption {
  /** Takes no more messages; those that were delivered can still be answered. */
  stop(): Promise<void>;
  /** Messages of the stream that the consumer has not been given yet; undefined while the broker is away. */
  pending(): Promise<number | undefined>;
}

export interface IncomingMessage {
  readonly stream: string;
  readonly subject: string;
  readonly headers: Headers;
  readonly data: Uint8Array;
  /** The message's number in its stream. */
  readonly sequence: bigint;
  /** From 1 on. */
  readonly deliveryCount: number;
  /** When the broker got it. */
  readonly storedAt: Date;
  ack(): void;
  /** Asks for another delivery after so many milliseconds. */
  nak(delayMs: number): void;
  /** Lets go of it without an answer: it comes again after the wait for one. */
  drop(): void;
  /** Starts the wait for an answer anew. */
  working(): void;
  /**
   * Whether the consumer has answered, or the stream has dropped, everything before this message: then whatever has
   * not come will not come. False also while the broker can't tell.
   */
  predecessorsSettled(): Promise<boolean>;
}

/** The broker can't be reached now; it is tried again. */
export class BrokerUnavailable extends Error {
  override readonly name = "BrokerUnavailable";
}
