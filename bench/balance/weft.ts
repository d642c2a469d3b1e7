import { createMesh, type ServicePolicies } from "@weft/client";
import { createMemoryRegistry } from "@weft/registry";
import { UserService } from "../rpc/gen/weft/bench/v1/user_service_pb.ts";
import { userServicePolicies } from "../rpc/gen/weft/bench/v1/user_service_weft.ts";
import type { PeerClient } from "../rpc/peer.ts";

/** The whole client stack over the servers, with another way of balancing than the contract's. */
export async function weftOver(
  ports: readonly number[],
  balancer: ServicePolicies["methods"][string]["balancer"],
  zone?: string,
): Promise<PeerClient["getUser"]> {
  const registry = createMemoryRegistry();
  for (const [i, port] of ports.entries()) {
    await registry.register({
      service: UserService.typeName,
      instance: `${port}`,
      host: "127.0.0.1",
      port,
      metadata: { zone: i < 2 ? "far" : "near" },
    });
  }
  const mesh = createMesh({ service: "bench", registry, ...(zone !== undefined && { zone }) });
  const { getUser } = userServicePolicies.methods;
  const methods = { ...userServicePolicies.methods, getUser: { ...getUser, balancer } };
  const client = mesh.client(UserService, { service: UserService.typeName, methods });
  return async (userId, { timeoutMs }) => (await client.getUser({ userId }, { timeoutMs })).email;
}
