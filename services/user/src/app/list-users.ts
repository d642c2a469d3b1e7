import type { User } from "../domain/user.ts";
import type { UserCursor, Users } from "./users.ts";

export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page starts; undefined on the last one. */
  readonly next: UserCursor | undefined;
}

export function listUsers(users: Users) {
  return async (after: UserCursor | undefined, size: number): Promise<UserPage> => {
    // One more than asked for tells whether there is a next page.
    const found = await users.page(after, size + 1);
    const page = found.slice(0, size);
    const last = page.at(-1);
    return { users: page, next: found.length > size && last ? { createdAt: last.createdAt, id: last.id } : undefined };
  };
}
