export { createJetStreamBroker, type JetStreamBrokerOptions } from "./broker.ts";
export type { StreamLimits } from "./streams.ts";
