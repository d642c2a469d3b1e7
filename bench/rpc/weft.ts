import { connect, listen } from "@weft/rpc";
import { generate } from "selfsigned";
import { clientOver, routes } from "./connect-api.ts";
import type { Peer } from "./peer.ts";

/** Connect's routes on the listener, Connect's `createClient` on the transport. */
function weft(isSecure: boolean): Peer {
  return {
    async serve() {
      const pair = isSecure ? await certificate() : undefined;
      const { port } = await listen({ host: "127.0.0.1", port: 0, routes, ...(pair && { tls: pair }) });
      return { port, ...(pair && { cert: pair.cert }) };
    },
    async connect({ port, cert }) {
      const tls = cert === undefined ? {} : { tls: { ca: cert, servername: "localhost" } };
      return clientOver(connect({ host: "127.0.0.1", port, ...tls }).transport);
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
