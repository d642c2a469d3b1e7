import { currentTransaction, type Store } from "@weft/store";
import type { Kysely } from "kysely";
import type { Addresses } from "../app/notifications.ts";
import type { NotificationDatabase } from "./schema.ts";

export function createAddressRepository(store: Store<NotificationDatabase>): Addresses {
  const db = (): Kysely<NotificationDatabase> => currentTransaction<NotificationDatabase>() ?? store.db;

  const write = async (userId: string, email: string | null): Promise<void> => {
    await db()
      .insertInto("user_addresses")
      .values({ user_id: userId, email })
      .onConflict((conflict) => conflict.column("user_id").doUpdateSet({ email }))
      .execute();
  };

  return {
    async find(userId) {
      const row = await db()
        .selectFrom("user_addresses")
        .select("email")
        .where("user_id", "=", userId)
        .executeTakeFirst();
      if (!row) return { kind: "awaited" };
      return row.email === null ? { kind: "forgotten" } : { kind: "known", email: row.email };
    },
    put: (userId, email) => write(userId, email),
    forget: (userId) => write(userId, null),
  };
}
