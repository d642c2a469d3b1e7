import type { Store } from "@weft/store";
import { deadLetters } from "./dead-letters.ts";
import type { RecordedEvent } from "./history.ts";
import type { Replay } from "./replay.ts";

export interface AgainOptions<T> {
  readonly replay: Replay;
  /** The replay's. */
  readonly store: Pick<Store<unknown>, "pool">;
  /** All that there is of the service's effects. */
  readonly effects: () => Promise<T>;
  /** What the service's workers make of what has come; default: it has none. */
  readonly settle?: () => Promise<unknown>;
}

export interface Seen<T> {
  readonly effects: T;
  /** Ids of what the service has published, dead letters included, oldest first. */
  readonly published: readonly string[];
}

/** Three times the same where events have their effects once. */
export interface Repetition<T> {
  /** Before anything came again. */
  readonly once: Seen<T>;
  /** After all had come again. */
  readonly again: Seen<T>;
  /** After all had come once more, to an inbox that had forgotten them. */
  readonly forgotten: Seen<T>;
}

/**
 * Delivers what has been played already: forwards and backwards with other delivery counts, as a broker may, and once more from an
 * empty inbox, as after its retention. What became a dead letter is left out the last time, since it would become one again.
 */
export async function deliverAgain<T>(
  events: readonly RecordedEvent[],
  options: AgainOptions<T>,
): Promise<Repetition<T>> {
  const { replay, store, effects, settle = async () => {} } = options;
  const look = async (): Promise<Seen<T>> => {
    const { rows } = await store.pool.query<{ id: string }>("SELECT id FROM weft.outbox ORDER BY position");
    return { effects: await effects(), published: rows.map(({ id }) => id) };
  };
  const once = await look();
  for (const [n, event] of [...events, ...events.toReversed()].entries()) await replay.deliver(event, n % 5);
  await settle();
  const again = await look();

  const dead = new Set((await deadLetters(store)).map(({ data }) => Buffer.from(data).toString("base64")));
  await store.pool.query("TRUNCATE weft.inbox, weft.inbox_positions");
  for (const event of events.filter(({ data }) => !dead.has(data))) await replay.deliver(event);
  await settle();
  return { once, again, forgotten: await look() };
}
