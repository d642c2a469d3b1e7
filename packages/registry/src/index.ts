export {
  InvalidRegistrationError,
  isInvalidRegistration,
  isLeaseLost,
  isRegistrationDenied,
  isRegistryClosed,
  isRegistryUnavailable,
  LeaseLostError,
  RegistrationDeniedError,
  RegistryClosedError,
  RegistryUnavailableError,
} from "./errors.ts";
export { createMemoryRegistry, type MemoryRegistry, type MemoryRegistryOptions } from "./memory.ts";
export type {
  Instance,
  InstanceState,
  Lease,
  Load,
  Metadata,
  Registration,
  Registry,
  Watch,
  WatchOptions,
} from "./registry.ts";
export { maxMetadataBytes, validateRegistration } from "./validate.ts";
