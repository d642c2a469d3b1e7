import { RetryLater, type Subscription } from "@weft/events";
import { currentTransaction } from "@weft/store";
import { sql } from "kysely";

/** A way in which a handler can fail and yet succeed in the end. */
export interface Failure {
  readonly name: string;
  /** Runs of the handler for each event that fail. */
  readonly times: number;
  /** Called in the handler's transaction when its work is done: rejects, or sees to it that the commit does. */
  readonly fail: () => Promise<void>;
}

/** What an event must survive: fewer failures than make a dead letter, and any number of those that don't count. */
export const failures: readonly Failure[] = [
  {
    name: "the handler fails twice",
    times: 2,
    fail: () => Promise.reject(new Error("it broke")),
  },
  {
    name: "what the handler needs is away for long",
    times: 30,
    fail: () => Promise.reject(new RetryLater("it is away", { delayMs: 1 })),
  },
  {
    name: "the connection to the database is killed before the commit, again and again",
    times: 5,
    async fail() {
      const tx = currentTransaction();
      if (!tx) throw new Error("the handler runs in no transaction");
      await sql`SELECT pg_terminate_backend(pg_backend_pid())`.execute(tx);
    },
  },
];

/** The subscription with a handler that does its work and fails then, as often as the failure says for each event. */
export function failingAtFirst(subscription: Subscription, { times, fail }: Failure): Subscription {
  const failed = new Map<string, number>();
  const { type, options } = subscription;
  return {
    type,
    options,
    async handler(event, delivery) {
      await subscription.handler(event, delivery);
      const before = failed.get(delivery.id) ?? 0;
      if (before >= times) return;
      failed.set(delivery.id, before + 1);
      await fail();
    },
  };
}
