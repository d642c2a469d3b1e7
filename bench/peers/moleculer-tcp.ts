import { type AddressInfo, createServer } from "node:net";
import { type BrokerOptions, type Context, ServiceBroker } from "moleculer";
import type { Peer } from "../rpc/peer.ts";
import { findUser, type User } from "../rpc/users.ts";

/** As moleculer.services/docs: two nodes on the TCP transporter that know each other's address, JSON, no logger. */
function broker(nodeID: string, port: number, urls: string, policies: BrokerOptions): ServiceBroker {
  return new ServiceBroker({
    ...policies,
    nodeID,
    logger: false,
    transporter: { type: "TCP", options: { udpDiscovery: false, port, urls } },
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What its documentation offers against faults, and to be seen by: each with its default, tracing of one call in a hundred. */
const policies: BrokerOptions = {
  circuitBreaker: { enabled: true },
  bulkhead: { enabled: true, concurrency: 1_000, maxQueueSize: 1_000 },
  retryPolicy: { enabled: true },
  metrics: { enabled: true },
  tracing: { enabled: true, exporter: { type: "Event" }, sampling: { rate: 0.01 } },
};

function moleculer(options: BrokerOptions): Peer {
  return {
    async serve() {
      const port = await freePort();
      const node = broker("server", port, "", options);
      node.createService({
        name: "users",
        actions: {
          get: {
            params: { userId: "uuid" },
            handler: (ctx: Context<{ userId: string }>) => findUser(ctx.params.userId),
          },
        },
      });
      await node.start();
      return { port };
    },
    async connect({ port }) {
      const own = await freePort();
      const node = broker("client", own, `127.0.0.1:${port}/server`, options);
      await node.start();
      await node.waitForServices("users");
      return {
        async getUser(userId, { traceparent, timeoutMs }) {
          const options = { timeout: timeoutMs, meta: { traceparent } };
          return (await node.call<User, { userId: string }>("users.get", { userId }, options)).email;
        },
      };
    },
  };
}

export const moleculerTcp = moleculer({ validator: false });
export const moleculerPolicies = moleculer(policies);
