import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { PeerClient } from "../rpc/peer.ts";
import type { User } from "../rpc/users.ts";

interface UserClient {
  getUser(
    request: { userId: string },
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    done: (error: Error | null, user?: User) => void,
  ): void;
}

interface Package {
  readonly weft: {
    readonly bench: {
      readonly v1: {
        readonly UserService: new (
          address: string,
          credentials: grpc.ChannelCredentials,
          options: grpc.ChannelOptions,
        ) => UserClient;
      };
    };
  };
}

/** One channel over all servers, whose service config says `round_robin`, as gRPC's guide to custom load balancing has it. */
export async function grpcJsRoundRobin(ports: readonly number[]): Promise<PeerClient["getUser"]> {
  const definition = loadSync("weft/bench/v1/user_service.proto", {
    includeDirs: ["../rpc/proto", "../../proto"].map((dir) => join(import.meta.dirname, dir)),
    keepCase: false,
    longs: Number,
    defaults: true,
    oneofs: true,
  });
  const { UserService } = (grpc.loadPackageDefinition(definition) as unknown as Package).weft.bench.v1;
  const address = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
  const client = new UserService(address, grpc.credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  return (userId, { traceparent, timeoutMs }) => {
    const metadata = new grpc.Metadata();
    metadata.set("traceparent", traceparent);
    return new Promise((resolve, reject) => {
      client.getUser({ userId }, metadata, { deadline: Date.now() + timeoutMs }, (error, user) => {
        if (error) reject(error);
        else resolve(user?.email ?? "");
      });
    });
  };
}
