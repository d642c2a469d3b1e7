import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connect, listen } from "@weft/rpc";
import { generate } from "selfsigned";
import { UserService } from "./gen/weft/bench/v1/user_service_pb.ts";
import type { Peer } from "./peer.ts";
import { exportedPayload, findUser } from "./users.ts";

/** Connect's routes on the listener, Connect's `createClient` on the transport. */
function weft(isSecure: boolean): Peer {
  return {
    async serve() {
      const pair = isSecure ? await certificate() : undefined;
      const { port } = await listen({
        host: "127.0.0.1",
        port: 0,
        ...(pair && { tls: pair }),
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
      });
      return { port, ...(pair && { cert: pair.cert }) };
    },
    async connect({ port, cert }) {
      const tls = cert === undefined ? {} : { tls: { ca: cert, servername: "localhost" } };
      const client = createClient(UserService, connect({ host: "127.0.0.1", port, ...tls }).transport);
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
    },
  };
}

async function certificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] }],
  });
  return { cert, key };
}

export const cleartext = weft(false);
export const tls = weft(true);
