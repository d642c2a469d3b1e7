/** An account. Its e-mail address is unique among the active ones. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly status: "active" | "deleted";
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an account's owner can change. */
export interface UserChanges {
  readonly email?: string;
  readonly name?: string;
}

export function openAccount(id: string, details: { email: string; name: string }, now: Date): User {
  return { id, email: normalised(details.email), name: details.name, status: "active", createdAt: now, updatedAt: now };
}

/** The same object when nothing changes, so that nobody is told of it. */
export function changeDetails(user: User, changes: UserChanges, now: Date): User {
  if (user.status === "deleted") throw new UserDeletedError(user.id);
  const email = changes.email === undefined ? user.email : normalised(changes.email);
  const name = changes.name ?? user.name;
  return email === user.email && name === user.name ? user : { ...user, email, name, updatedAt: now };
}

export function closeAccount(user: User, now: Date): User {
  return user.status === "deleted" ? user : { ...user, status: "deleted", updatedAt: now };
}

/** Addresses that differ in case alone are one. */
export function normalised(email: string): string {
  return email.trim().toLowerCase();
}

export class UserNotFoundError extends Error {
  override readonly name = "UserNotFoundError";
}

export class UserDeletedError extends Error {
  override readonly name = "UserDeletedError";
  constructor(id: string) {
    super(`user ${id} was deleted`);
  }
}

export class EmailTakenError extends Error {
  override readonly name = "EmailTakenError";
  constructor(email: string) {
    super(`an account with the e-mail address ${email} exists`);
  }
}
