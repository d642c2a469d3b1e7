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
  /** The same of a stream that is there; undefined where it is missing: it is not created. */
  existingState(stream: StreamSpec): Promise<StreamState | undefined>;
  /** Delivers to one durable consumer, which several processes may share. Waits for a broker that is away, for ever. */
  consume(options: ConsumeOptions): Consumption;
  /** Calls back each time the broker can be reached again; once for now if it can be. */
  onAvailable(callback: () => void): () => void;
  readonly operations: BrokerOperations;
  close(): Promise<void>;
}

/** What operators ask of a broker. All of it rejects with BrokerUnavailable while the broker can't be reached. */
export interface BrokerOperations {
  /** The first message after that number whose subject matches: "*" stands for a token, a last ">" for any that follow. */
  read(stream: string, subject: string, after: bigint): Promise<StoredMessage | undefined>;
  get(stream: string, sequence: bigint): Promise<StoredMessage | undefined>;
  /** Resolves with whether it was there. */
  delete(stream: string, sequence: bigint): Promise<boolean>;
  /** Undefined when there is no such consumer. */
  consumer(stream: string, consumer: string): Promise<ConsumerState | undefined>;
  /** While a consumer is paused, none of its processes is given messages, also those that start meanwhile. */
  setPaused(stream: string, consumer: string, paused: boolean): Promise<void>;
  /** Lets a consumer begin again, at a message's number or a time: it is given all that the stream has from there on. Throws NoSuchConsumer. */
  startFrom(stream: string, consumer: string, from: bigint | Date): Promise<void>;
}

/** A message as a stream holds it. */
export interface StoredMessage {
  readonly stream: string;
  readonly subject: string;
  readonly headers: Headers;
  readonly data: Uint8Array;
  /** Its number in the stream. */
  readonly sequence: bigint;
  readonly storedAt: Date;
}

export interface ConsumerState {
  /** Messages of the stream that it has not been given yet. */
  readonly pending: number;
  /** Messages that it was given and has not answered, those that wait for a retry included. */
  readonly unanswered: number;
  readonly paused: boolean;
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
  /**
   * The stream must be there since `streamState` saw it: rejects with BrokerUnavailable where it is not, until the next look. For a publisher
   * that has to put back older events first. Default: it is created.
   */
  readonly toExisting?: boolean;
}

export interface ConsumeOptions {
  readonly stream: StreamSpec;
  /** Names the durable consumer within the stream. */
  readonly consumer: string;
  /** Subjects that it is given; all of the stream's when absent. */
  readonly filter?: string;
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

export interface IncomingMessage extends StoredMessage {
  /** From 1 on. */
  readonly deliveryCount: number;
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

/** Nobody has consumed the stream by that name yet. */
export class NoSuchConsumer extends Error {
  override readonly name = "NoSuchConsumer";

  constructor(stream: string, consumer: string) {
    super(`${consumer} has never consumed ${stream}: start the service first, and check both names`);
  }
}

/** The broker can't be reached now; it is tried again. */
export class BrokerUnavailable extends Error {
  override readonly name = "BrokerUnavailable";
}
