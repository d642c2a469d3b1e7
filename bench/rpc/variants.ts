import type { Peer } from "./peer.ts";

/** Each is loaded by the processes that run it alone. */
export const variants: Readonly<Record<string, () => Promise<Peer>>> = {
  weft: async () => (await import("./weft.ts")).cleartext,
  "weft-tls": async () => (await import("./weft.ts")).tls,
  "grpc-js": async () => (await import("../peers/grpc-js.ts")).grpcJs,
  "connect-node": async () => (await import("../peers/connect-node.ts")).connectNode,
  "weft-mesh": async () => (await import("./weft-mesh.ts")).weftMesh,
  "moleculer-tcp": async () => (await import("../peers/moleculer-tcp.ts")).moleculerTcp,
  "moleculer-policies": async () => (await import("../peers/moleculer-tcp.ts")).moleculerPolicies,
  "fastify-json": async () => (await import("../peers/fastify-json.ts")).fastifyJson,
  "net-framed": async () => (await import("../peers/net-framed.ts")).netFramed,
};
