export { storeResponse } from "./command.ts";
export { createHealth, type HealthService } from "./health.ts";
export type { Claim, CommandStore } from "./idempotency.ts";
export type { ErrorMapper } from "./layers/errors.ts";
export { invalidField } from "./layers/violations.ts";
export { registerReflection } from "./reflection.ts";
export { type ServedService, serve } from "./serve.ts";
export { type Server, type ServerOptions, startServer } from "./server.ts";
export type { ServerState } from "./server-state.ts";
