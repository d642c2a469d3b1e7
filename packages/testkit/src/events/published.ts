import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { deadLetterStream, type EventType } from "@weft/events";
import type { Store } from "@weft/store";

/** An event in a service's outbox, sent or not. */
export interface OutboxEvent<D extends DescMessage = DescMessage> {
  readonly subject: string;
  readonly key: string;
  /** The event's number within its key, from 1 on. */
  readonly keySeq: bigint;
  readonly event: MessageShape<D>;
}

/**
 * What a service has published, oldest first; of one key when it is given. `types` are all that it may publish: another
 * one rejects. Dead letters aren't among them: `deadLetters` has those.
 */
export async function published<T extends EventType>(
  { pool }: Pick<Store<unknown>, "pool">,
  types: readonly T[],
  key?: string,
): Promise<readonly OutboxEvent<T["schema"]>[]> {
  const { rows } = await pool.query<{ subject: string; key: string; key_seq: string; data: Uint8Array }>(
    `SELECT subject, key, key_seq, data FROM weft.outbox
    WHERE stream <> $2 AND ($1::text IS NULL OR key = $1) ORDER BY position`,
    [key ?? null, deadLetterStream.name],
  );
  return rows.map(({ subject, key, key_seq, data }) => {
    const type = types.find((each) => each.subject === subject);
    if (!type) throw new Error(`${subject} is none of ${types.map((each) => each.subject).join(", ")}`);
    const event = fromBinary<T["schema"]>(type.schema, data);
    return { subject, key, keySeq: BigInt(key_seq), event };
  });
}
