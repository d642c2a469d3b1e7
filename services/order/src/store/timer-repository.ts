import type { Store } from "@weft/store";
import { sql } from "kysely";
import type { Timer, Timers } from "../app/fire-timers.ts";
import type { OrderDatabase } from "./schema.ts";

export function createTimerRepository(store: Store<OrderDatabase>): Timers {
  return {
    takeDue(now, work) {
      return store.transaction(async (tx) => {
        const { rows } = await sql<Timer>`
          DELETE FROM order_timers
          WHERE (order_id, kind) = (
            SELECT order_id, kind FROM order_timers WHERE due_at <= ${now} ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
          )
          RETURNING order_id AS "orderId", kind, attempts + 1 AS attempt`.execute(tx);
        const [due] = rows;
        if (due) await work(due);
        return due !== undefined;
      });
    },

    async postpone({ orderId, kind, attempt }, until) {
      const timer = store.db.updateTable("order_timers").set({ due_at: until, attempts: attempt });
      await timer.where("order_id", "=", orderId).where("kind", "=", kind).execute();
    },
  };
}
