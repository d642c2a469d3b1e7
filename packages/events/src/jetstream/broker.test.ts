import { afterAll, beforeAll } from "vitest";
import { describeBroker } from "../conformance.ts";
import { createTestDatabase } from "../testing/database.ts";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { createJetStreamBroker } from "./broker.ts";

let server: TestNatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.close());

describeBroker("JetStream", async () => {
  const database = await createTestDatabase();
  return {
    connect: () => createJetStreamBroker({ url: server.url, name: "conformance" }),
    databaseUrl: database.url,
    interrupt: () => server.kill(),
    restore: () => server.start(),
    close: () => database.drop(),
  };
});
