export interface User {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly createdAtMillis: number;
  readonly active: boolean;
}

/** 36 characters, as every id of a user. */
export const userIds: readonly string[] = Array.from(
  { length: 1_000 },
  (_, i) => `0192f0c1-7a3b-7c4d-8e5f-${i.toString(16).padStart(12, "0")}`,
);

const users = new Map<string, User>(
  userIds.map((userId, i) => [
    userId,
    {
      userId,
      name: `Adelheid Mustermann ${i}`,
      email: `adelheid.mustermann.${i}@example.com`,
      createdAtMillis: 1_760_000_000_000 + i,
      active: true,
    },
  ]),
);

export function findUser(userId: string): User {
  const user = users.get(userId);
  if (user === undefined) throw new Error(`there is no user ${userId}`);
  return user;
}

/** A message of the stream: 1 KiB with its tag and length. */
export const exportedPayload = Buffer.from("0123456789abcdef".repeat(64)).subarray(0, 1_021);
