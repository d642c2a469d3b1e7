import { randomUUID } from "node:crypto";
import { createUserClient } from "@shop/contracts/user";
import { type Server, startServer } from "@weft/service";
import { createCommandStore } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";
import { type Address, meshTo } from "@weft/testkit";
import { serveUsers } from "../rpc/user-service.ts";
import { createUserRepository } from "../store/user-repository.ts";
import type { TestDatabase } from "./database.ts";

export interface RunningUserService {
  readonly address: Address;
  /** A caller with the contract's policies. */
  readonly client: ReturnType<typeof createUserClient>;
  /** Time stands still until it is set. */
  readonly clock: { now: Date };
  /** Awaited by each report before it reads its first account. */
  readonly before: { report: (() => Promise<void>) | undefined };
  getState: Server["getState"];
  close(): Promise<void>;
}

/** The service as main.ts wires it, over the network, without broker and registry. */
export async function openUserService(
  { store }: TestDatabase,
  logger: Logger = silentLogger,
): Promise<RunningUserService> {
  const clock = { now: new Date("2026-05-01T10:00:00Z") };
  const before: RunningUserService["before"] = { report: undefined };
  const repository = createUserRepository(store);
  const users = {
    ...repository,
    async *all(includeDeleted: boolean) {
      await before.report?.();
      yield* repository.all(includeDeleted);
    },
  };
  const server = await startServer({
    services: [serveUsers({ users, newId: randomUUID, now: () => clock.now })],
    host: "127.0.0.1",
    port: 0,
    logger,
    commands: createCommandStore(store),
  });
  const mesh = meshTo(server);
  return {
    address: server,
    client: createUserClient(mesh),
    clock,
    before,
    getState: server.getState,
    async close() {
      await mesh.close();
      await server.close(1_000);
    },
  };
}
