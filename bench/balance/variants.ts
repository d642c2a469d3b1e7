import type { PeerClient } from "../rpc/peer.ts";
import { grpcJsRoundRobin } from "./grpc-js.ts";
import { weftOver } from "./weft.ts";

type Connect = (ports: readonly number[]) => Promise<PeerClient["getUser"]>;

/** A client over all of the servers, by the balancer that chooses among them. */
export const variants: Readonly<Record<string, Connect>> = {
  "weft peak-ewma": (ports) => weftOver(ports, { kind: "peak-ewma" }),
  "weft least-request": (ports) => weftOver(ports, { kind: "least-request" }),
  "weft round-robin": (ports) => weftOver(ports, { kind: "round-robin" }),
  "weft weighted-round-robin": (ports) => weftOver(ports, { kind: "weighted-round-robin" }),
  "weft consistent-hash": (ports) => weftOver(ports, { kind: "consistent-hash", key: ["userId"] }),
  "weft peak-ewma in its zone": (ports) => weftOver(ports, { kind: "peak-ewma" }, "near"),
  "grpc-js round_robin": grpcJsRoundRobin,
};
