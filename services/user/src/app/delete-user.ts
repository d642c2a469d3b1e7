import { closeAccount, type User } from "../domain/user.ts";
import type { Users } from "./users.ts";

/** Closes an account; closing it again changes nothing. Throws UserNotFoundError. */
export function deleteUser(users: Users, now: () => Date) {
  return (id: string): Promise<User> => users.change(id, (user) => closeAccount(user, now()));
}
