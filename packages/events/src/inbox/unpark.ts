import type { Store } from "@weft/store";
import { sql } from "kysely";
import { consumerName } from "./consumer-name.ts";

export interface ParkedKey {
  /** The service whose subscription parked the key. */
  readonly service: string;
  /** The stream of the event's type. */
  readonly stream: string;
  readonly key: string;
}

/**
 * Lets the events of a key be handled again that a dead letter parked (`afterDeadLetter: "park"`). What became a dead
 * letter meanwhile stays one. Joins the active transaction; resolves with whether the key was parked.
 */
export function unpark<DB>(store: Store<DB>, { service, stream, key }: ParkedKey): Promise<boolean> {
  return store.transaction(async (tx) => {
    const { numAffectedRows } = await sql`
      update weft.inbox_positions set parked_by = null
      where consumer = ${consumerName(service, stream)} and key = ${key} and parked_by is not null`.execute(tx);
    return numAffectedRows === 1n;
  });
}
