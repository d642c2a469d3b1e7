import type { Peer } from "./peer.ts";

/** Each is loaded by the processes that run it alone. */
export const variants: Readonly<Record<string, () => Promise<Peer>>> = {
  weft: async () => (await import("./weft.ts")).cleartext,
  "weft-tls": async () => (await import("./weft.ts")).tls,
  "grpc-js": async () => (await import("../peers/grpc-js.ts")).grpcJs,
  "connect-node": async () => (await import("../peers/connect-node.ts")).connectNode,
  "weft-mesh": async () => (await import("./weft-mesh.ts")).weftMesh(),
  "weft-mesh-untraced": async () => (await import("./weft-mesh.ts")).weftMesh({ telemetry: false }),
  "weft-mesh-explained": async () => (await import("./weft-mesh.ts")).weftMesh({ explain: { ratio: 0.01 } }),
  "moleculer-tcp": async () => (await import("../peers/moleculer-tcp.ts")).moleculerTcp,
  "moleculer-policies": async () => (await import("../peers/moleculer-tcp.ts")).moleculerPolicies,
  "fastify-json": async () => (await import("../peers/fastify-json.ts")).fastifyJson,
  "net-framed": async () => (await import("../peers/net-framed.ts")).netFramed,
};
