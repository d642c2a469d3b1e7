export type { Client } from "@connectrpc/connect";
export type { ServicePolicies } from "@weft/policy";
export type { ChannelState } from "./channel-state.ts";
export type { EndpointState } from "./endpoint.ts";
export { createMesh, type Mesh, type MeshOptions, type MeshState } from "./mesh.ts";
export type { MeshEvent } from "./mesh-event.ts";
