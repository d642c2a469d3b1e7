import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, headers } from "@weft/context";
import { type CodeName, isLocalRejection } from "@weft/policy";

/** Connect's codes under gRPC's names. */
const names: Readonly<Record<Code, CodeName>> = {
  [Code.Canceled]: "CANCELLED",
  [Code.Unknown]: "UNKNOWN",
  [Code.InvalidArgument]: "INVALID_ARGUMENT",
  [Code.DeadlineExceeded]: "DEADLINE_EXCEEDED",
  [Code.NotFound]: "NOT_FOUND",
  [Code.AlreadyExists]: "ALREADY_EXISTS",
  [Code.PermissionDenied]: "PERMISSION_DENIED",
  [Code.ResourceExhausted]: "RESOURCE_EXHAUSTED",
  [Code.FailedPrecondition]: "FAILED_PRECONDITION",
  [Code.Aborted]: "ABORTED",
  [Code.OutOfRange]: "OUT_OF_RANGE",
  [Code.Unimplemented]: "UNIMPLEMENTED",
  [Code.Internal]: "INTERNAL",
  [Code.Unavailable]: "UNAVAILABLE",
  [Code.DataLoss]: "DATA_LOSS",
  [Code.Unauthenticated]: "UNAUTHENTICATED",
};

export function codeName(error: unknown): CodeName {
  return names[ConnectError.from(error).code];
}

const attemptTimeouts = new WeakSet<ConnectError>();

/** An attempt that took longer than its own time, while the call still has some left. */
export function attemptTimeout(): ConnectError {
  const error = new ConnectError("the attempt took longer than its per_attempt_timeout", Code.DeadlineExceeded);
  attemptTimeouts.add(error);
  return error;
}

export function isAttemptTimeout(error: unknown): boolean {
  return error instanceof ConnectError && attemptTimeouts.has(error);
}

export function deadlinePassed(): ConnectError {
  return new ConnectError("the call's deadline passed", Code.DeadlineExceeded);
}

const blamed: ReadonlySet<CodeName> = new Set(["UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS"]);

/**
 * Whether an outcome speaks against the endpoint: never a caller's cancel, a local rejection, an error of the client's
 * making, or an UNAVAILABLE that the endpoint only passes on.
 */
export function blamesEndpoint(error: unknown): boolean {
  if (isAttemptTimeout(error)) return true;
  if (isLocalRejection(error) || passesOn(error)) return false;
  return blamed.has(codeName(error));
}

/** Keeps in mind for the answer to this call's own caller that it was another service that couldn't be reached. */
export function noteUnavailable(error: unknown, service: string): void {
  const downstream = currentCall()?.downstream;
  if (downstream && codeName(error) === "UNAVAILABLE") downstream.unavailable = service;
}

function passesOn(error: unknown): boolean {
  return error instanceof ConnectError && error.metadata.has(headers.unavailablePeer);
}
