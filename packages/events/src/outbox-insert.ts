import { notifyOnCommit } from "@weft/store";
import { type QueryExecutorProvider, sql } from "kysely";
import type { Headers } from "./event-headers.ts";

/** The channel that wakes the relay after a commit with new rows. */
export const outboxChannel = "weft_outbox";

export interface OutboxEvent {
  readonly id: string;
  readonly stream: string;
  readonly subject: string;
  readonly key: string;
  readonly headers: Headers;
  readonly data: Uint8Array;
}

/**
 * Adds an event to the outbox and numbers it within its key. The counter's row stays locked until the commit, so that
 * numbers have no gap and follow the order of commits; two transactions that publish for one key run one after the
 * other from here on. Resolves with the number. Where the outbox has the id already it adds
 * nothing, resolves with 0, and a number is left out: only for dead letters, whose numbers nobody waits for.
 */
export async function insertIntoOutbox(tx: QueryExecutorProvider, event: OutboxEvent): Promise<bigint> {
  const { rows } = await sql<{ key_seq: string }>`
    with counter as (
      insert into weft.outbox_keys as k (stream, key, last_seq) values (${event.stream}, ${event.key}, 1)
      on conflict (stream, key) do update set last_seq = k.last_seq + 1
      returning last_seq
    ), added as (
      insert into weft.outbox (id, stream, subject, key, key_seq, headers, data)
      select ${event.id}::uuid, ${event.stream}, ${event.subject}, ${event.key}, last_seq,
        ${JSON.stringify(event.headers)}::jsonb, ${Buffer.from(event.data)}
      from counter
      on conflict (id) do nothing
      returning key_seq
    )
    select key_seq from added`.execute(tx);
  notifyOnCommit(outboxChannel);
  return BigInt(rows[0]?.key_seq ?? 0);
}
