import { currentTransaction, type Store } from "@weft/store";
import { currentOrigin } from "@weft/telemetry";
import { type Kysely, sql, type UpdateObject } from "kysely";
import type { Claim, Notifications } from "../app/notifications.ts";
import { accountDeleted, type Delivery } from "../domain/notification.ts";
import { toColumns, toNotification } from "./notification-row.ts";
import type { NotificationDatabase } from "./schema.ts";

export interface NotificationRepositoryParts {
  readonly store: Store<NotificationDatabase>;
  /** A fresh UUID for each claim. */
  readonly newLease: () => string;
}

/** Part of the text and no parameter: for a prepared statement the indexes of what is owed are of use only then. */
const queued = sql.lit<Delivery["status"]>("queued");

export function createNotificationRepository({ store, newLease }: NotificationRepositoryParts): Notifications {
  /** The transaction that is active, or statements of their own. */
  const db = (): Kysely<NotificationDatabase> => currentTransaction<NotificationDatabase>() ?? store.db;

  const resolve = async (userId?: string): Promise<number> => {
    const { numUpdatedRows } = await db()
      .updateTable("notifications as waiting")
      .from("user_addresses as address")
      .set({
        recipient: sql<string | null>`address.email`,
        status: sql<"queued" | "rejected">`CASE WHEN address.email IS NULL THEN 'rejected' ELSE 'queued' END`,
        reason: sql<string | null>`CASE WHEN address.email IS NULL THEN ${accountDeleted} END`,
      })
      .whereRef("address.user_id", "=", "waiting.user_id")
      .where("waiting.status", "=", queued)
      .where("waiting.recipient", "is", null)
      .$if(userId !== undefined, (query) => query.where("waiting.user_id", "=", userId as string))
      .executeTakeFirst();
    return Number(numUpdatedRows);
  };

  /** Ends a claim. Only a mail that is still owed can be given another fate. */
  const end = async (
    { notification: { id }, lease }: Claim,
    columns: UpdateObject<NotificationDatabase, "notifications">,
    { ifMine }: { readonly ifMine: boolean },
  ): Promise<void> => {
    await store.db
      .updateTable("notifications")
      .set({ ...columns, lease: null, leased_until: null })
      .where("id", "=", id)
      .where("status", "=", queued)
      .$if(ifMine, (query) => query.where("lease", "=", lease))
      .execute();
  };

  return {
    async add(notification) {
      const { correlationId, trace } = currentOrigin();
      await db()
        .insertInto("notifications")
        .values({
          ...toColumns(notification),
          attempts: 0,
          lease: null,
          leased_until: null,
          correlation_id: correlationId,
          trace: JSON.stringify(trace),
        })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
    },

    async page(userId, after, size) {
      const rows = await db()
        .selectFrom("notifications")
        .selectAll()
        .where("user_id", "=", userId)
        .$if(after !== undefined, (query) =>
          query.where(sql<boolean>`(created_at, id) < (${after?.createdAt}::timestamptz, ${after?.id}::uuid)`),
        )
        .orderBy("created_at", "desc")
        .orderBy("id", "desc")
        .limit(size)
        .execute();
      return rows.map(toNotification);
    },

    async resolve(userId) {
      await resolve(userId);
    },
    resolveAll: () => resolve(),

    async claimDue(limit, leaseMs, now) {
      const rows = await store.db
        .with("free", (query) =>
          query
            .selectFrom("notifications")
            .select("id")
            .where("status", "=", queued)
            .where("recipient", "is not", null)
            .where("due_at", "<=", now)
            .where((row) => row.or([row("leased_until", "is", null), row("leased_until", "<=", now)]))
            .orderBy("due_at")
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .updateTable("notifications")
        .set({
          lease: newLease(),
          leased_until: new Date(now.getTime() + leaseMs),
          attempts: sql<number>`attempts + 1`,
        })
        .where("id", "in", (query) => query.selectFrom("free").select("id"))
        .returningAll()
        .execute();
      return rows.map((row) => ({
        notification: toNotification(row),
        recipient: row.recipient ?? "",
        lease: row.lease ?? "",
        attempt: row.attempts,
        origin: { correlationId: row.correlation_id, trace: row.trace },
      }));
    },

    markSent: (claim, at) => end(claim, { status: "sent", sent_at: at }, { ifMine: false }),
    markRejected: (claim, reason) => end(claim, { status: "rejected", reason }, { ifMine: false }),
    postpone: (claim, dueAt) => end(claim, { due_at: dueAt }, { ifMine: true }),
  };
}
