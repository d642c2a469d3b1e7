export { correlationIdOf, type EdgeCall, runEdgeCall } from "./edge-call.ts";
export { forwardedServices, handedOn } from "./forwarded-services.ts";
export { createForwarder, type Forwarder, type ForwarderOptions } from "./forwarder.ts";
export { forwardingImplementation } from "./implementation.ts";
export { copyOutward, inwardMetadata } from "./metadata.ts";
