import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, headers } from "@weft/context";
import { type CodeName, isLocalRejection } from "@weft/policy";
import { codeName } from "@weft/rpc";

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

/**
 * An endpoint that had all the time of the contract and gave no answer is to blame, whether the time was up here or
 * there; one that a hurried caller gave less is not.
 */
export function blameForTime(error: unknown, call: { readonly fullTime: boolean }): unknown {
  if (call.fullTime && error instanceof ConnectError && error.code === Code.DeadlineExceeded)
    attemptTimeouts.add(error);
  return error;
}

/** Says nothing about the endpoint, for good or ill: the time that a caller gave was too short. */
export function tellsNothing(error: unknown): boolean {
  return codeName(error) === "DEADLINE_EXCEEDED" && !isAttemptTimeout(error);
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
