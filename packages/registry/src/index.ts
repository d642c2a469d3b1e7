export {
  InvalidRegistrationError,
  isInvalidRegistration,
  isLeaseLost,
  isRegistryClosed,
  isRegistryUnavailable,
  LeaseLostError,
  RegistryClosedError,
  RegistryUnavailableError,
} from "./errors.ts";
export { createMemoryRegistry, type MemoryRegistry, type MemoryRegistryOptions } from "./memory.ts";
export type { Instance, InstanceState, Lease, Load, Metadata, Registration, Registry, Watch } from "./registry.ts";
export { maxMetadataBytes, validateRegistration } from "./validate.ts";
