import { normalised, type User, UserNotFoundError } from "../domain/user.ts";
import type { Users } from "./users.ts";

/** The account with that id, deleted ones included. Throws UserNotFoundError. */
export function getUser(users: Users) {
  return async (id: string): Promise<User> => {
    const user = await users.get(id);
    if (!user) throw new UserNotFoundError(`user ${id} does not exist`);
    return user;
  };
}

/** The active account with that e-mail address. Throws UserNotFoundError. */
export function findUserByEmail(users: Users) {
  return async (email: string): Promise<User> => {
    const user = await users.findByEmail(normalised(email));
    if (!user) throw new UserNotFoundError(`no user has the e-mail address ${email}`);
    return user;
  };
}
