import { getUserOf, openUserClient } from "../peers/grpc-js.ts";
import type { PeerClient } from "../rpc/peer.ts";

/** One channel over all servers, whose service config says `round_robin`, as gRPC's guide to custom load balancing has it. */
export async function grpcJsRoundRobin(ports: readonly number[]): Promise<PeerClient["getUser"]> {
  const address = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  const config = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
  return getUserOf(openUserClient(address, { "grpc.service_config": config }));
}
