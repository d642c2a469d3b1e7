import { UserCreated, UserDeleted, UserUpdated } from "@shop/contracts/user";
import * as testkit from "@weft/testkit";
import { migrations, type UserDatabase } from "../store/schema.ts";

export interface TestDatabase extends testkit.TestDatabase<UserDatabase> {
  /** The events that were published for the account, oldest first, such as "1 UserCreated". */
  news(userId: string): Promise<readonly string[]>;
  /** The events themselves. */
  published(userId: string): ReturnType<typeof publishedBy>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const database = await testkit.createTestDatabase<UserDatabase>("user", migrations);
  const published = (userId: string) => publishedBy(database, userId);
  return {
    ...database,
    published,
    async news(userId) {
      return (await published(userId)).map(({ keySeq, subject }) => `${keySeq} ${subject.replace(/^.*\./, "")}`);
    },
  };
}

function publishedBy({ store }: testkit.TestDatabase<UserDatabase>, userId: string) {
  return testkit.published(store, [UserCreated, UserUpdated, UserDeleted], userId);
}
