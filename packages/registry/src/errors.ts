/** The registration can't be accepted as it is; the message says what to change. */
export class InvalidRegistrationError extends Error {
  override readonly name = "InvalidRegistrationError";
}

/**
 * The registry answers, and refuses: this process may not register the service, or the service has as many instances as it may have. Trying
 * again is of no use before somebody does what the message says.
 */
export class RegistrationDeniedError extends Error {
  override readonly name = "RegistrationDeniedError";
}

/** A newer registration took the instance's id: this one is stale and must not come back. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
  constructor(service: string, instance: string) {
    super(
      `Instance "${instance}" of ${service} was registered again; this lease is void. Give every process an instance id of its own.`,
    );
  }
}

/** The registry did not answer in time. */
export class RegistryUnavailableError extends Error {
  override readonly name = "RegistryUnavailableError";
}

/** The registry, or the watch, was closed by its owner. */
export class RegistryClosedError extends Error {
  override readonly name = "RegistryClosedError";
  constructor() {
    super("The registry was closed.");
  }
}

export function isInvalidRegistration(error: unknown): error is InvalidRegistrationError {
  return error instanceof InvalidRegistrationError;
}

export function isRegistrationDenied(error: unknown): error is RegistrationDeniedError {
  return error instanceof RegistrationDeniedError;
}

export function isLeaseLost(error: unknown): error is LeaseLostError {
  return error instanceof LeaseLostError;
}

export function isRegistryUnavailable(error: unknown): error is RegistryUnavailableError {
  return error instanceof RegistryUnavailableError;
}

export function isRegistryClosed(error: unknown): error is RegistryClosedError {
  return error instanceof RegistryClosedError;
}
