import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { UserCreated, UserDeleted, UserUpdated } from "@shop/contracts/user";
import { publish } from "@weft/events";
import { isUniqueViolation, type Store } from "@weft/store";
import { type Selectable, sql } from "kysely";
import type { UserCursor, Users } from "../app/users.ts";
import { EmailTakenError, type User, UserNotFoundError } from "../domain/user.ts";
import type { UserDatabase, UsersTable } from "./schema.ts";

const reportPageSize = 500;

/** Part of the text and no parameter: for a prepared statement an index of active accounts is of use only then. */
const active = sql.lit<User["status"]>("active");

export function createUserRepository(store: Store<UserDatabase>): Users {
  const repository: Users = {
    add(user) {
      return store.transaction(async (tx) => {
        await orEmailTaken(user, tx.insertInto("users").values(toRow(user)).execute());
        const { id, email, name, createdAt } = user;
        await publish(UserCreated, { userId: id, email, name, createdAt: timestampFromDate(createdAt) });
        return user;
      });
    },

    change(id, change) {
      return store.transaction(async (tx) => {
        const row = await tx.selectFrom("users").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
        if (!row) throw new UserNotFoundError(`user ${id} does not exist`);
        const before = toUser(row);
        const after = change(before);
        if (after === before) return before;
        const { email, name, status, updatedAt } = after;
        const update = tx.updateTable("users").set({ email, name, status, updated_at: updatedAt }).where("id", "=", id);
        await orEmailTaken(after, update.execute());
        await publishChange(before, after);
        return after;
      });
    },

    async get(id) {
      const row = await store.db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toUser(row);
    },

    async findByEmail(email) {
      const query = store.db.selectFrom("users").selectAll().where("email", "=", email).where("status", "=", active);
      const row = await query.executeTakeFirst();
      return row && toUser(row);
    },

    page: (after, size) => pageOf(store, after, size, false),

    async *all(includeDeleted) {
      for (let after: UserCursor | undefined; ; ) {
        const users = await pageOf(store, after, reportPageSize, includeDeleted);
        yield* users;
        after = users.at(-1);
        if (users.length < reportPageSize) return;
      }
    },
  };
  return repository;
}

async function pageOf(
  store: Store<UserDatabase>,
  after: UserCursor | undefined,
  size: number,
  includeDeleted: boolean,
): Promise<User[]> {
  let query = store.db.selectFrom("users").selectAll().orderBy("created_at").orderBy("id").limit(size);
  if (!includeDeleted) query = query.where("status", "=", active);
  if (after) query = query.where(sql<boolean>`(created_at, id) > (${after.createdAt}, ${after.id})`);
  return (await query.execute()).map(toUser);
}

async function publishChange(before: User, after: User): Promise<void> {
  const { id: userId, email, name, updatedAt } = after;
  if (after.status === "deleted" && before.status !== "deleted") {
    await publish(UserDeleted, { userId, deletedAt: timestampFromDate(updatedAt) });
  } else {
    await publish(UserUpdated, { userId, email, name, updatedAt: timestampFromDate(updatedAt) });
  }
}

async function orEmailTaken<T>(user: User, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    throw isUniqueViolation(error, "users_active_email") ? new EmailTakenError(user.email) : error;
  }
}

function toRow({ id, email, name, status, createdAt, updatedAt }: User) {
  return { id, email, name, status, created_at: createdAt, updated_at: updatedAt };
}

function toUser(row: Selectable<UsersTable>): User {
  const { id, email, name, status } = row;
  return { id, email, name, status, createdAt: row.created_at, updatedAt: row.updated_at };
}
