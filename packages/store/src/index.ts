export { type BackoffOptions, backoffMs } from "./backoff.ts";
export { CommandTakenOver } from "./command-response.ts";
export { type CommandClaim, type CommandStore, commandMigrations, createCommandStore } from "./commands.ts";
export {
  isLockTimeout,
  isPoolExhausted,
  isSerializationFailure,
  isStatementTimeout,
  isUnavailable,
  isUniqueViolation,
} from "./errors.ts";
export type { FaultPoint, Faults, PassingEvent } from "./faults.ts";
export { createLanes, type Lanes } from "./lanes.ts";
export type { Listening } from "./listener.ts";
export { type MigrateOptions, migrate } from "./migrate.ts";
export { type Migration, MigrationError, type MigrationState } from "./migration.ts";
export { migrationStatus, requireMigrated } from "./migration-status.ts";
export { pause } from "./pause.ts";
export { openStore, type Store, type StoreOptions } from "./store.ts";
export { currentFaults, currentTransaction, notifyOnCommit, onCommit } from "./transaction.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
