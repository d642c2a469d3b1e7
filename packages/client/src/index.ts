export type { Client } from "@connectrpc/connect";
export type { LivePolicies, ServicePolicies } from "@weft/policy";
export type { ChannelState } from "./channel-state.ts";
export type { EndpointState } from "./endpoint.ts";
export type { AttemptExplanation, CallExplanation, CandidateExplanation } from "./explain/explanation.ts";
export type { ExplainOptions } from "./explain/recorder.ts";
export { createMesh, type Mesh, type MeshClient, type MeshOptions, type MeshState } from "./mesh.ts";
export type { MeshEvent } from "./mesh-event.ts";
