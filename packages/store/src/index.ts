export { type BackoffOptions, backoffMs } from "./backoff.ts";
export { CommandTakenOver } from "./command-response.ts";
export { type CommandClaim, type CommandStore, commandMigrations, createCommandStore } from "./commands.ts";
export {
  databaseCode,
  isLockTimeout,
  isSerializationFailure,
  isUnavailable,
  isUniqueViolation,
} from "./errors.ts";
export { createLanes, type Lanes } from "./lanes.ts";
export type { Listening } from "./listener.ts";
export { migrate, migrationStatus } from "./migrate.ts";
export { type Migration, MigrationError } from "./migration.ts";
export { pause } from "./pause.ts";
export { openStore, type Store, type StoreOptions } from "./store.ts";
export { currentTransaction, onCommit } from "./transaction.ts";
export { startWorker, type Worker, type WorkerOptions } from "./worker.ts";
