import type { User } from "../domain/user.ts";

/** Where accounts are kept. Each change and the event that tells of it are one transaction. */
export interface Users {
  /** Throws EmailTakenError. */
  add(user: User): Promise<User>;
  /** Locks the account, applies `change` and keeps the result. Throws UserNotFoundError, EmailTakenError, and what `change` throws. */
  change(id: string, change: (user: User) => User): Promise<User>;
  get(id: string): Promise<User | undefined>;
  /** Among the active ones. */
  findByEmail(email: string): Promise<User | undefined>;
  /** Active accounts after the cursor, oldest first. */
  page(after: UserCursor | undefined, size: number): Promise<readonly User[]>;
  /** Every account, oldest first, read as the reader goes. */
  all(includeDeleted: boolean): AsyncIterable<User>;
}

/** A place in the list of accounts. */
export interface UserCursor {
  readonly createdAt: Date;
  readonly id: string;
}
