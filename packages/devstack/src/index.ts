// For users

export { type EphemeralInfrastructure, startEphemeralInfrastructure } from "./ephemeral.ts";
export { createServiceDatabases } from "./infrastructure/databases.ts";
export { ServerMissingError } from "./infrastructure/find-server.ts";
export type { Infrastructure } from "./infrastructure/infrastructure.ts";
export type { Part, Source } from "./infrastructure/part.ts";
export { type Interrupt, onInterrupt } from "./interrupt.ts";
export { StackRunningError } from "./process/ledger.ts";
export type { State, StateDetail, Supervised } from "./process/supervised.ts";
export type { RunningService } from "./services/running-service.ts";
export { type Stack, type StackOptions, type StackRecord, startStack } from "./stack.ts";
