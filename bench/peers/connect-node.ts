import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { UserService } from "../rpc/gen/weft/bench/v1/user_service_pb.ts";
import type { Peer } from "../rpc/peer.ts";
import { exportedPayload, findUser } from "../rpc/users.ts";

/** As connectrpc.com/docs/node: the adapter on Node's HTTP/2, and the gRPC transport. */
export const connectNode: Peer = {
  async serve() {
    const server = createServer(
      connectNodeAdapter({
        routes: (router) =>
          router.service(UserService, {
            getUser({ userId }) {
              const user = findUser(userId);
              return { ...user, createdAtMillis: BigInt(user.createdAtMillis) };
            },
            async *exportUsers({ count }) {
              for (let i = 0; i < count; i++) yield { payload: exportedPayload };
            },
            storePicture: ({ picture }) => ({ picture }),
          }),
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port };
  },
  async connect({ port }) {
    const client = createClient(UserService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    return {
      async getUser(userId, { traceparent, timeoutMs }) {
        return (await client.getUser({ userId }, { timeoutMs, headers: { traceparent } })).email;
      },
      async exportUsers(count) {
        let read = 0;
        for await (const _ of client.exportUsers({ count })) read += 1;
        return read;
      },
      async storePicture(picture) {
        return (await client.storePicture({ picture })).picture.length;
      },
    };
  },
};
