import { isLockTimeout } from "@weft/store";
import { sql, type Transaction } from "kysely";
import type { IncomingEvent } from "./incoming-event.ts";

/**
 * Whether an event may have its effect now.
 * - `next`: it follows what was handled of its key; its inbox row and the key's new position are written.
 * - `late`: later events of its key were handled, and this one never was; it is handled out of order, not lost.
 * - `duplicate`: it was settled before.
 * - `ahead`: events of its key before it are missing.
 * - `new-key`: the consumer starts "now" and meets the key for the first time: a baseline must be committed first.
 */
export type Admission =
  | { readonly kind: "next" | "late"; readonly parked: boolean }
  | { readonly kind: "duplicate" | "ahead" | "new-key" };

export interface AdmissionRules {
  /** The inbox's name of the consumer. */
  readonly consumer: string;
  readonly from: "now" | "beginning";
  /** How long the inbox remembers ids, in milliseconds; what is older counts as settled when its number was passed. */
  readonly retentionMs: number;
  /** How long an event waits for its key while another instance handles an earlier one of it, in milliseconds. */
  readonly keyWaitMs: number;
  /** Wall clock, in milliseconds. */
  readonly now: () => number;
}

/** Another instance has the event's key for longer than one waits: the event comes again, and no run failed. */
export class KeyBusy extends Error {
  override readonly name = "KeyBusy";
}

/**
 * Decides in the transaction of the effect. Throws KeyBusy, and the transaction is lost, when the key isn't free in time:
 * a handler may take longer than a statement may. The key's position row stays locked until the commit, so that several
 * processes handle a key's events one after the other.
 *
 * The usual case, the next event of a key, is one statement. `acceptGap` lets an event pass whose predecessors will
 * never come, since the stream has dropped them.
 */
export async function admit(
  tx: Transaction<unknown>,
  event: IncomingEvent,
  rules: AdmissionRules,
  acceptGap: boolean,
): Promise<Admission> {
  await sql`set local lock_timeout = ${sql.lit(rules.keyWaitMs)}`.execute(tx);
  try {
    const admission = await decide(tx, event, rules, acceptGap);
    // The handler's own statements are as patient as ever.
    await sql`set local lock_timeout to default`.execute(tx);
    return admission;
  } catch (error) {
    throw isLockTimeout(error) ? new KeyBusy(`another instance has the key ${event.key}`, { cause: error }) : error;
  }
}

async function decide(
  tx: Transaction<unknown>,
  event: IncomingEvent,
  rules: AdmissionRules,
  acceptGap: boolean,
): Promise<Admission> {
  const { consumer } = rules;
  if (event.keySeq === undefined) return record(tx, consumer, event, "next");
  const seq = String(event.keySeq);
  const begins = rules.from === "beginning" && (event.keySeq === 1n || acceptGap);
  const fast = await sql<{ recorded: boolean; parked: boolean }>`
    with moved as (
      insert into weft.inbox_positions as p (consumer, key, last_seq, baseline)
      select ${consumer}, ${event.key}, ${seq}::bigint, ${seq}::bigint - 1
      where ${begins} or exists (select from weft.inbox_positions where consumer = ${consumer} and key = ${event.key})
      on conflict (consumer, key) do update set last_seq = ${seq}::bigint, updated_at = now()
        where p.last_seq = ${seq}::bigint - 1 or (${acceptGap} and p.last_seq < ${seq}::bigint)
      returning parked_by is not null as parked
    ), recorded as (
      insert into weft.inbox (consumer, event_id) select ${consumer}, ${event.id}::uuid from moved
      on conflict do nothing returning event_id
    )
    select parked, exists (select from recorded) as recorded from moved`.execute(tx);
  const moved = fast.rows[0];
  if (moved) return moved.recorded ? { kind: "next", parked: moved.parked } : { kind: "duplicate" };
  return decideByPosition(tx, event, event.keySeq, rules);
}

async function decideByPosition(
  tx: Transaction<unknown>,
  event: IncomingEvent,
  keySeq: bigint,
  { consumer, from, retentionMs, now }: AdmissionRules,
): Promise<Admission> {
  const { rows } = await sql<{ last_seq: string; baseline: string }>`
    select last_seq, baseline from weft.inbox_positions where consumer = ${consumer} and key = ${event.key}
    for update`.execute(tx);
  const position = rows[0];
  if (!position) return { kind: from === "now" ? "new-key" : "ahead" };
  if (keySeq > BigInt(position.last_seq)) return { kind: "ahead" };
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
  tx: Transaction<unknown>,
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
export async function setBaseline(tx: Transaction<unknown>, consumer: string, event: IncomingEvent): Promise<void> {
  const before = String((event.keySeq ?? 1n) - 1n);
  await sql`
    insert into weft.inbox_positions (consumer, key, last_seq, baseline)
    values (${consumer}, ${event.key}, ${before}, ${before}) on conflict do nothing`.execute(tx);
}
