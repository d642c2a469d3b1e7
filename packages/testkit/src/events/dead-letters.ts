import { deadLetterHeaders, deadLetterStream } from "@weft/events";
import type { Store } from "@weft/store";

/** What became of an event that a service could not handle. */
export interface DeadLetter {
  /** Of the event. */
  readonly subject: string;
  readonly reason: string;
  /** The event's bytes. */
  readonly data: Uint8Array;
}

/** The dead letters that a service has written, oldest first, sent or not. */
export async function deadLetters({ pool }: Pick<Store<unknown>, "pool">): Promise<readonly DeadLetter[]> {
  const { rows } = await pool.query<{ headers: Record<string, string>; data: Uint8Array }>(
    "SELECT headers, data FROM weft.outbox WHERE stream = $1 ORDER BY position",
    [deadLetterStream.name],
  );
  return rows.map(({ headers, data }) => ({
    subject: headers[deadLetterHeaders.subject] ?? "",
    reason: headers[deadLetterHeaders.reason] ?? "",
    data: new Uint8Array(data),
  }));
}
