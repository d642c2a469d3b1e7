import { openAccount, type User } from "../domain/user.ts";
import type { Users } from "./users.ts";

export interface CreateUser {
  readonly email: string;
  readonly name: string;
}

/** Opens an account. Throws EmailTakenError. */
export function createUser(users: Users, newId: () => string, now: () => Date) {
  return (command: CreateUser): Promise<User> => users.add(openAccount(newId(), command, now()));
}
