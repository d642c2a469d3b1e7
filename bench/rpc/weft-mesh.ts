import { randomUUID } from "node:crypto";
import { createMesh, type ExplainOptions } from "@weft/client";
import { createRedisRegistry } from "@weft/registry/redis";
import { serve, startServer } from "@weft/server";
import { createLogger, startTelemetry } from "@weft/telemetry";
import { implementation } from "./connect-api.ts";
import { UserService } from "./gen/weft/bench/v1/user_service_pb.ts";
import { createUserClient, userServicePolicies } from "./gen/weft/bench/v1/user_service_weft.ts";
import type { Peer } from "./peer.ts";

const heartbeatMs = 1_000;

function openRegistry() {
  const url = process.env.REDIS_URL;
  if (url === undefined) throw new Error("REDIS_URL is missing: the benchmark starts a Redis");
  return createRedisRegistry({ url, heartbeatMs });
}

export interface Watching {
  /** Default true. */
  readonly telemetry?: boolean;
  readonly explain?: ExplainOptions;
}

/**
 * Both stacks as a service has them: found through Redis, balanced, with bulkhead, breaker, retry and deadline, validated, traced and
 * measured. What OpenTelemetry does is said by its own variables.
 */
export function weftMesh({ telemetry = true, explain }: Watching = {}): Peer {
  return {
    async serve() {
      const instance = randomUUID();
      if (telemetry) await startTelemetry({ service: "users", instance });
      const server = await startServer({
        services: [serve(UserService, userServicePolicies, implementation)],
        host: "127.0.0.1",
        port: 0,
        logger: createLogger({ service: "users", level: "warn" }),
        registration: { registry: openRegistry(), instance },
        shedding: {},
      });
      await server.announce();
      return { port: server.port };
    },
    async connect() {
      if (telemetry) await startTelemetry({ service: "bench", instance: randomUUID() });
      const mesh = createMesh({ service: "bench", registry: openRegistry(), ...(explain && { explain }) });
      const users = createUserClient(mesh);
      return {
        // The trace context is the mesh's own, and another one for each call.
        getUser: async (userId, { timeoutMs }) => (await users.getUser({ userId }, { timeoutMs })).email,
      };
    },
  };
}
