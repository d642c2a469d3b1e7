import * as testkit from "@weft/testkit";
import { migrations, type OrderDatabase } from "../store/schema.ts";

export type TestDatabase = testkit.TestDatabase<OrderDatabase>;

export function createTestDatabase(): Promise<TestDatabase> {
  return testkit.createTestDatabase("order", migrations);
}
