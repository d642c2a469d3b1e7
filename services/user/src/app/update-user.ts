import { changeDetails, type User, type UserChanges } from "../domain/user.ts";
import type { Users } from "./users.ts";

/** Changes an active account. Throws UserNotFoundError, UserDeletedError and EmailTakenError. */
export function updateUser(users: Users, now: () => Date) {
  return (id: string, changes: UserChanges): Promise<User> =>
    users.change(id, (user) => changeDetails(user, changes, now()));
}
