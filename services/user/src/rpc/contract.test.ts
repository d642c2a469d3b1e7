import { resolve } from "node:path";
import { UserService } from "@shop/contracts/user";
import { describeProvider, loadExamples, type StateHandler } from "@weft/testkit";
import { afterAll, beforeAll, describe, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../testing/database.ts";
import { openUserService, type RunningUserService } from "../testing/running-user-service.ts";

let database: TestDatabase;
let service: RunningUserService;

beforeAll(async () => {
  database = await createTestDatabase();
  service = await openUserService(database);
});
afterAll(async () => {
  await service?.close();
  await database?.drop();
});

const states: Readonly<Record<string, StateHandler>> = {
  async "no accounts"() {
    await database.empty();
  },
  "an account": ({ email = "", name = "" }) => opened(email, name),
  async "a deleted account"({ email = "", name = "" }) {
    const { user_id } = await opened(email, name);
    await service.client.deleteUser({ userId: user_id });
    return { user_id };
  },
};

async function opened(email: string, name: string): Promise<{ user_id: string }> {
  await database.empty();
  const { user } = await service.client.createUser({ email, name });
  return { user_id: user?.id ?? "" };
}

const examples = resolve(import.meta.dirname, "../../../../proto/shop/user/v1/user_service.examples.yaml");

describeProvider({ describe, it }, loadExamples(UserService, examples), () => ({ client: service.client, states }));
