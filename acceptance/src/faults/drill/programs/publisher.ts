import { randomUUID } from "node:crypto";
import { publish } from "@weft/events";
import { startWorker } from "@weft/store";
import { sql } from "kysely";
import { Granted } from "../granted.ts";
import { openProgram } from "./program.ts";

/** Grants wishes that are due, each in a transaction with its event, several at a time. */
const atOnce = 8;
const { store, options } = openProgram("publisher");

class ThoughtBetter extends Error {}

async function grant(): Promise<boolean> {
  const attempt = randomUUID();
  try {
    return await store.transaction(async (tx) => {
      const { rows } = await sql<{ n: string; key: string }>`
        select n, key from wish where attempt is null and due <= clock_timestamp()
        order by due, n limit 1 for update skip locked`.execute(tx);
      const wish = rows[0];
      if (!wish) return false;
      const { keySeq } = await publish(Granted, { name: wish.key, root: attempt });
      if (Math.random() < options.rollBack) throw new ThoughtBetter();
      await sql`
        update wish set attempt = ${attempt}::uuid, key_seq = ${String(keySeq)}::bigint, granted_at = clock_timestamp()
        where n = ${wish.n}::bigint`.execute(tx);
      return true;
    });
  } catch (error) {
    if (error instanceof ThoughtBetter) {
      await sql`insert into rolled_back (attempt) values (${attempt}::uuid)`.execute(store.db);
      return true;
    }
    await sql`insert into failed (error) values (${String(error)})`.execute(store.db);
    throw error;
  }
}

startWorker({
  name: "wishes",
  poll: async () => (await Promise.all(Array.from({ length: atOnce }, grant))).filter((granted) => granted).length,
  intervalMs: 5,
  maxBackoffMs: 500,
});
