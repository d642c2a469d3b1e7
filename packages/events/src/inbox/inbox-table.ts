import type { Store } from "@weft/store";
import { sql } from "kysely";

/** The inbox's statements outside of the transaction of an effect. */
export interface InboxTable {
  /** When the consumer began: now for one that begins now. */
  startedAt(consumer: string): Promise<Date>;
  /** Counts a run that failed; resolves with the event's failed runs. */
  recordFailure(consumer: string, eventId: string, error: string): Promise<number>;
  failures(consumer: string, eventId: string): Promise<number>;
  forgetFailures(consumer: string, eventId: string): Promise<void>;
  /** Forgets what was settled longer ago than the retention; resolves with how many rows. */
  sweep(retentionMs: number, limit: number): Promise<number>;
}

/** As long as the broker keeps dead letters, and some. */
const deadRetentionMs = 100 * 86_400_000;

export function createInboxTable<DB>({ db }: Store<DB>): InboxTable {
  return {
    async startedAt(consumer) {
      const { rows } = await sql<{ started_at: Date }>`
        insert into weft.inbox_consumers as c (consumer) values (${consumer})
        on conflict (consumer) do update set started_at = c.started_at returning started_at`.execute(db);
      return rows[0]?.started_at ?? new Date(0);
    },
    async recordFailure(consumer, eventId, error) {
      const { rows } = await sql<{ attempts: number }>`
        insert into weft.inbox_failures as f (consumer, event_id, attempts, last_error)
        values (${consumer}, ${eventId}::uuid, 1, ${error})
        on conflict (consumer, event_id) do update
          set attempts = f.attempts + 1, last_error = excluded.last_error, failed_at = now()
        returning attempts`.execute(db);
      return rows[0]?.attempts ?? 1;
    },
    async failures(consumer, eventId) {
      const { rows } = await sql<{ attempts: number }>`
        select attempts from weft.inbox_failures where consumer = ${consumer} and event_id = ${eventId}::uuid`.execute(
        db,
      );
      return rows[0]?.attempts ?? 0;
    },
    async forgetFailures(consumer, eventId) {
      await sql`
        delete from weft.inbox_failures where consumer = ${consumer} and event_id = ${eventId}::uuid`.execute(db);
    },
    async sweep(retentionMs, limit) {
      const before = sql`now() - ${retentionMs} * interval '1 millisecond'`;
      const settled = await sql`
        delete from weft.inbox where ctid = any(array(
          select ctid from weft.inbox where settled_at < ${before}
          order by settled_at limit ${limit} for update skip locked))`.execute(db);
      const failed = await sql`
        delete from weft.inbox_failures where ctid = any(array(
          select ctid from weft.inbox_failures where failed_at < ${before}
          order by failed_at limit ${limit} for update skip locked))`.execute(db);
      const dead = await sql`
        delete from weft.inbox_dead where ctid = any(array(
          select ctid from weft.inbox_dead where died_at < now() - ${deadRetentionMs} * interval '1 millisecond'
          order by died_at limit ${limit} for update skip locked))`.execute(db);
      return [settled, failed, dead].reduce((rows, { numAffectedRows }) => rows + Number(numAffectedRows ?? 0n), 0);
    },
  };
}
