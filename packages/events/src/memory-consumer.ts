import type { ConsumeOptions, Consumption, IncomingMessage, StoredMessage } from "./broker.ts";
import { matchesSubject } from "./stream.ts";

type Timer = ReturnType<typeof setTimeout>;

/** A message that the consumer has not settled. */
interface Open {
  readonly message: StoredMessage;
  deliveries: number;
  /** Waiting for a member, for a NAK's delay, or at a member. */
  state: "ready" | "delayed" | "held";
  member: Member | undefined;
  timer: Timer | undefined;
}

interface Member {
  readonly onMessage: (message: IncomingMessage) => void;
  readonly prefetch: number;
  held: number;
}

/** One durable consumer, shared by the processes that attach to it. */
export interface MemoryConsumer {
  paused: boolean;
  /** Messages that it has not been given yet, and those that it has not answered. */
  readonly pending: number;
  readonly unanswered: number;
  /** Forgets what it has settled: it is given these. */
  restart(messages: readonly StoredMessage[]): void;
  offer(message: StoredMessage): void;
  attach(onMessage: Member["onMessage"], prefetch: number): Consumption;
  /** Gives members what they have room for. */
  deliver(): void;
  /** Takes back what members hold, as a lost connection does. */
  interrupt(): void;
  close(): void;
}

export function createMemoryConsumer(options: ConsumeOptions, available: () => boolean): MemoryConsumer {
  const open = new Map<bigint, Open>();
  const members: Member[] = [];
  let next = 0;
  let closed = false;
  let paused = false;

  function makeReady(entry: Open): void {
    clearTimeout(entry.timer);
    if (entry.member) entry.member.held -= 1;
    entry.member = undefined;
    entry.state = "ready";
  }

  function wait(entry: Open, ms: number): void {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (open.get(entry.message.sequence) !== entry) return;
      makeReady(entry);
      deliver();
    }, ms);
  }

  function deliver(): void {
    if (closed || paused || !available()) return;
    let pending = 0;
    for (const entry of open.values()) {
      if (entry.state !== "ready") pending += 1;
      else if (pending >= options.maxAckPending) return;
      else {
        const member = nextWithRoom();
        if (!member) return;
        pending += 1;
        hand(entry, member);
      }
    }
  }

  function nextWithRoom(): Member | undefined {
    for (let i = 0; i < members.length; i++) {
      const member = members[next++ % members.length];
      if (member && member.held < member.prefetch) return member;
    }
    return undefined;
  }

  function hand(entry: Open, member: Member): void {
    entry.state = "held";
    entry.member = member;
    entry.deliveries += 1;
    member.held += 1;
    wait(entry, options.ackWaitMs);
    const delivery = entry.deliveries;
    // An answer counts for its own delivery, and only while the broker is there.
    const current = (): boolean => available() && entry.state === "held" && entry.deliveries === delivery;
    const incoming: IncomingMessage = {
      ...entry.message,
      deliveryCount: delivery,
      ack() {
        if (!available() || !open.delete(entry.message.sequence)) return;
        makeReady(entry);
        queueMicrotask(deliver);
      },
      nak(delayMs) {
        if (!current()) return;
        makeReady(entry);
        entry.state = "delayed";
        wait(entry, delayMs);
        queueMicrotask(deliver);
      },
      // Its place is free again once the wait for an answer is over.
      drop() {},
      working() {
        if (current()) wait(entry, options.ackWaitMs);
      },
      predecessorsSettled: async () => {
        const first = open.keys().next().value;
        return first === undefined || first >= entry.message.sequence;
      },
    };
    queueMicrotask(() => member.onMessage(incoming));
  }

  const count = (given: boolean): number => {
    let count = 0;
    for (const { deliveries } of open.values()) if (deliveries > 0 === given) count += 1;
    return count;
  };

  return {
    get paused() {
      return paused;
    },
    set paused(value) {
      paused = value;
      deliver();
    },
    get pending() {
      return count(false);
    },
    get unanswered() {
      return count(true);
    },
    restart(messages) {
      for (const entry of open.values()) makeReady(entry);
      open.clear();
      for (const message of messages) this.offer(message);
    },
    offer(message) {
      if (options.filter !== undefined && !matchesSubject(options.filter, message.subject)) return;
      open.set(message.sequence, { message, deliveries: 0, state: "ready", member: undefined, timer: undefined });
      deliver();
    },
    attach(onMessage, prefetch) {
      const member: Member = { onMessage, prefetch, held: 0 };
      members.push(member);
      deliver();
      return {
        async stop() {
          const index = members.indexOf(member);
          if (index >= 0) members.splice(index, 1);
        },
        pending: async () => count(false),
      };
    },
    deliver,
    interrupt() {
      for (const entry of open.values()) if (entry.state === "held") makeReady(entry);
    },
    close() {
      closed = true;
      for (const entry of open.values()) clearTimeout(entry.timer);
    },
  };
}
