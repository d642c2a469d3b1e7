import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { Pool } from "undici";
import type { Peer } from "../rpc/peer.ts";
import { findUser, type User } from "../rpc/users.ts";

const answer = {
  type: "object",
  properties: {
    userId: { type: "string" },
    name: { type: "string" },
    email: { type: "string" },
    createdAtMillis: { type: "integer" },
    active: { type: "boolean" },
  },
} as const;

/** As fastify.dev and undici's documentation advise: a response schema there, a pool with a connection for each call in flight here. */
export const fastifyJson: Peer = {
  async serve() {
    const app = fastify();
    app.get<{ Params: { userId: string } }>("/v1/users/:userId", { schema: { response: { 200: answer } } }, (request) =>
      Promise.resolve(findUser(request.params.userId)),
    );
    await app.listen({ host: "127.0.0.1", port: 0 });
    return { port: (app.server.address() as AddressInfo).port };
  },
  async connect({ port }) {
    const pool = new Pool(`http://127.0.0.1:${port}`, { connections: 256 });
    return {
      async getUser(userId, { traceparent, timeoutMs }) {
        const { statusCode, body } = await pool.request({
          method: "GET",
          path: `/v1/users/${userId}`,
          headers: { traceparent, "grpc-timeout": `${timeoutMs}m` },
          headersTimeout: timeoutMs,
        });
        const user = (await body.json()) as User;
        if (statusCode !== 200) throw new Error(`status ${statusCode}`);
        return user.email;
      },
    };
  },
};
