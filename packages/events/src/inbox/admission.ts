import { type QueryExecutorProvider, type RawBuilder, sql } from "kysely";
import type { IncomingEvent } from "./incoming-event.ts";

/**
 * Whether an event may have its effect now.
 * - `next`: it follows what was handled of its key; its inbox row and the key's new position are written.
 * - `late`: later events of its key were handled, and this one never was; it is handled out of order, not lost.
 * - `duplicate`: it was settled before.
 * - `ahead`: events of its key before it are missing.
 * - `busy`: another transaction is at an event of its key, or was until just now.
 * - `new-key`: the consumer starts "now" and meets the key for the first time: a baseline must be committed first.
 */
export type Admission =
  | { readonly kind: "next" | "late"; readonly parked: boolean }
  | { readonly kind: "duplicate" | "ahead" | "busy" | "new-key" };

export interface AdmissionRules {
  /** The inbox's name of the consumer. */
  readonly consumer: string;
  readonly from: "now" | "beginning";
  /** How long the inbox remembers ids, in milliseconds; what is older counts as settled when its number was passed. */
  readonly retentionMs: number;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Decides in the transaction of the effect. The key is locked until the commit, so that several processes handle a key's events
 * one after the other; nobody waits for it. The usual case, the next event of a key, is one statement. `acceptGap` lets an event
 * pass whose predecessors will never come, since the stream has dropped them.
 */
export async function admit(
  tx: QueryExecutorProvider,
  event: IncomingEvent,
  rules: AdmissionRules,
  acceptGap: boolean,
): Promise<Admission> {
  const { consumer, from } = rules;
  if (event.keySeq === undefined) return record(tx, consumer, event, "next");
  const seq = String(event.keySeq);
  const begins = from === "beginning" && (event.keySeq === 1n || acceptGap);
  const { rows } = await sql<{ parked: boolean; recorded: boolean }>`
    with moved as (
      insert into weft.inbox_positions as p (consumer, key, last_seq, baseline)
      select ${consumer}, ${event.key}, ${seq}::bigint, ${seq}::bigint - 1
      where ${lockOf(consumer, event.key)} and (
        ${begins} or exists (select from weft.inbox_positions where consumer = ${consumer} and key = ${event.key}))
      on conflict (consumer, key) do update set last_seq = excluded.last_seq, updated_at = now()
        where p.last_seq = excluded.baseline or (${acceptGap} and p.last_seq < excluded.last_seq)
      returning parked_by is not null as parked
    ), recorded as (
      insert into weft.inbox (consumer, event_id) select ${consumer}, ${event.id}::uuid from moved
      on conflict do nothing returning event_id
    )
    select parked, exists (select from recorded) as recorded from moved`.execute(tx);
  const moved = rows[0];
  if (moved) return moved.recorded ? { kind: "next", parked: moved.parked } : { kind: "duplicate" };
  const { rows: locks } = await sql<{ free: boolean }>`select ${lockOf(consumer, event.key)} as free`.execute(tx);
  return locks[0]?.free ? decideByPosition(tx, event, event.keySeq, rules, acceptGap) : { kind: "busy" };
}

/** Whether the key is this transaction's until it ends. */
export function lockOf(consumer: string, key: string): RawBuilder<boolean> {
  return sql`pg_try_advisory_xact_lock(hashtextextended(${consumer} || ' ' || ${key}, 0))`;
}

/** Events of one key whose numbers follow each other. */
export interface Run {
  readonly key: string;
  readonly events: readonly IncomingEvent[];
}

export interface RunMoved {
  readonly key: string;
  /** The key's position is behind the run now: its events are admitted. */
  readonly moved: boolean;
  /** How many of the run's events the inbox had not seen. */
  readonly recorded: number;
  readonly parked: boolean;
}

/**
 * Moves each key's position past its run, where the run is what comes next of the key, and records its events: one statement for
 * all of them, each of another key. A run that is not next, or whose key somebody else is at, is left as it is.
 */
export async function moveOn(
  tx: QueryExecutorProvider,
  runs: readonly Run[],
  { consumer, from }: AdmissionRules,
): Promise<readonly RunMoved[]> {
  const keys = runs.map(({ key }) => key);
  const firsts = runs.map(({ events }) => String(events[0]?.keySeq));
  const lasts = runs.map(({ events }) => String(events.at(-1)?.keySeq));
  const owners = runs.flatMap(({ key, events }) => events.map(() => key));
  const ids = runs.flatMap(({ events }) => events.map(({ id }) => id));
  const { rows } = await sql<RunMoved>`
    with run as materialized (
      select key, first, last, pg_try_advisory_xact_lock(hashtextextended(${consumer} || ' ' || key, 0)) as free
      from unnest(${keys}::text[], ${firsts}::bigint[], ${lasts}::bigint[]) as given(key, first, last)
    ), moved as (
      insert into weft.inbox_positions as p (consumer, key, last_seq, baseline)
      select ${consumer}, key, last, first - 1 from run
      where free and (
        (${from === "beginning"} and first = 1)
        or exists (select from weft.inbox_positions known where known.consumer = ${consumer} and known.key = run.key)
      )
      on conflict (consumer, key) do update set last_seq = excluded.last_seq, updated_at = now()
        where p.last_seq = excluded.baseline
      returning key, parked_by is not null as parked
    ), recorded as (
      insert into weft.inbox (consumer, event_id)
      select ${consumer}, event.id from unnest(${owners}::text[], ${ids}::uuid[]) as event(key, id) join moved using (key)
      on conflict do nothing returning event_id
    ), seen as (
      select event.key, count(*)::int as recorded
      from unnest(${owners}::text[], ${ids}::uuid[]) as event(key, id) join recorded on recorded.event_id = event.id
      group by event.key
    )
    select run.key, moved.key is not null as moved, coalesce(moved.parked, false) as parked,
      coalesce(seen.recorded, 0) as recorded
    from run left join moved using (key) left join seen using (key)`.execute(tx);
  return rows;
}

async function decideByPosition(
  tx: QueryExecutorProvider,
  event: IncomingEvent,
  keySeq: bigint,
  { consumer, from, retentionMs, now }: AdmissionRules,
  acceptGap: boolean,
): Promise<Admission> {
  const { rows } = await sql<{ last_seq: string; baseline: string }>`
    select last_seq, baseline from weft.inbox_positions where consumer = ${consumer} and key = ${event.key}
    for update`.execute(tx);
  const position = rows[0];
  if (!position && from === "now") return { kind: "new-key" };
  const last = BigInt(position?.last_seq ?? 0);
  // It may move on after all: whoever was at the key when the first statement came is done with it by now.
  if (acceptGap ? keySeq > last : keySeq === last + 1n) return { kind: "busy" };
  if (!position || keySeq > last) return { kind: "ahead" };
  if (position.last_seq === position.baseline) {
    // Nothing of the key is handled yet: another process met a later event first. This one is where the key begins.
    await sql`
      update weft.inbox_positions set last_seq = ${String(keySeq)}, baseline = ${String(keySeq - 1n)}
      where consumer = ${consumer} and key = ${event.key}`.execute(tx);
    return record(tx, consumer, event, "next");
  }
  if (event.occurredAt.getTime() < now() - retentionMs) return { kind: "duplicate" };
  return record(tx, consumer, event, "late");
}

async function record(
  tx: QueryExecutorProvider,
  consumer: string,
  event: IncomingEvent,
  kind: "next" | "late",
): Promise<Admission> {
  const { numAffectedRows } = await sql`
    insert into weft.inbox (consumer, event_id) values (${consumer}, ${event.id}::uuid) on conflict do nothing`.execute(
    tx,
  );
  return numAffectedRows === 1n ? { kind, parked: false } : { kind: "duplicate" };
}

/** Commits where a key begins for a consumer that starts "now": with the event that it meets first. */
export async function setBaseline(tx: QueryExecutorProvider, consumer: string, event: IncomingEvent): Promise<void> {
  const before = String((event.keySeq ?? 1n) - 1n);
  await sql`
    insert into weft.inbox_positions (consumer, key, last_seq, baseline)
    values (${consumer}, ${event.key}, ${before}, ${before}) on conflict do nothing`.execute(tx);
}
