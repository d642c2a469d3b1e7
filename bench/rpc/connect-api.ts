import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  type ServiceImpl,
  type Transport,
} from "@connectrpc/connect";
import { UserService } from "./gen/weft/bench/v1/user_service_pb.ts";
import type { PeerClient } from "./peer.ts";
import { exportedPayload, findUser } from "./users.ts";

/** What answers, whatever serves it. */
export const implementation: ServiceImpl<typeof UserService> = {
  getUser({ userId }) {
    const user = findUser(userId);
    return { ...user, createdAtMillis: BigInt(user.createdAtMillis) };
  },
  async *exportUsers({ count }) {
    for (let i = 0; i < count; i++) yield { payload: exportedPayload };
  },
  storePicture: ({ picture }) => ({ picture }),
};

/** The service as Connect's routes, for whatever serves those. */
export function routes(router: ConnectRouter): void {
  router.service(UserService, implementation);
}

/** Connect's client, over whatever carries its calls. */
export function clientOver(transport: Transport): PeerClient {
  const client = createClient(UserService, transport);
  return {
    async getUser(userId, { traceparent, timeoutMs }) {
      return (await client.getUser({ userId }, { timeoutMs, headers: { traceparent } })).email;
    },
    async exportUsers(count) {
      let read = 0;
      for await (const _ of client.exportUsers({ count })) read += 1;
      return read;
    },
    async abandonStream() {
      const controller = new AbortController();
      try {
        for await (const _ of client.exportUsers({ count: 1_000_000 }, { signal: controller.signal }))
          controller.abort();
      } catch (error) {
        if (ConnectError.from(error).code !== Code.Canceled) throw error;
      }
    },
    async storePicture(picture) {
      return (await client.storePicture({ picture })).picture.length;
    },
  };
}
