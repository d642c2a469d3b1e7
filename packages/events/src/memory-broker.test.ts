import type { Broker } from "./broker.ts";
import { describeBroker } from "./conformance.ts";
import { createMemoryBroker } from "./memory-broker.ts";
import { createTestDatabase } from "./testing/database.ts";

describeBroker("the memory broker", async () => {
  const database = await createTestDatabase();
  const broker = createMemoryBroker();
  return {
    // What is kept belongs to all connections, and ends with the harness.
    connect: (): Broker => ({ ...broker, close: async () => undefined }),
    databaseUrl: database.url,
    interrupt: async () => broker.interrupt(),
    restore: async () => broker.restore(),
    async close() {
      await broker.close();
      await database.drop();
    },
  };
});
