import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { connectNodeAdapter, createGrpcTransport } from "@connectrpc/connect-node";
import { clientOver, routes } from "../rpc/connect-api.ts";
import type { Peer } from "../rpc/peer.ts";

/** As connectrpc.com/docs/node: the adapter on Node's HTTP/2, and the gRPC transport. */
export const connectNode: Peer = {
  async serve() {
    const server = createServer(connectNodeAdapter({ routes }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port };
  },
  async connect({ port }) {
    return clientOver(createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
  },
};
