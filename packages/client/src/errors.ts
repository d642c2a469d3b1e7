import { Code, ConnectError } from "@connectrpc/connect";
import { currentCall, headers } from "@weft/context";
import { type BreakerOutcome, type CodeName, isLocalRejection, type OutlierOutcome } from "@weft/policy";
import { cameFromPeer, codeName } from "@weft/rpc";
import type { Outcome } from "./balancer/endpoint-load.ts";

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

/** Timers and the transport's wheel are a little early or late, in milliseconds. */
const tolerance = 10;

/** Whether an attempt ended because its own time was up, and not because the peer says that somebody's was. */
export function hasLasted(elapsedMs: number, timeoutMs: number, error: unknown): boolean {
  return codeName(error) === "DEADLINE_EXCEEDED" && elapsedMs >= timeoutMs - tolerance;
}

/**
 * An endpoint that had all the time of the contract and gave no answer is to blame, whether the time was up here or
 * there. One that had less is not: a hurried caller, or what an earlier attempt has left.
 */
export function blameForTime(error: unknown, elapsedMs: number, timeoutMs: number): unknown {
  if (hasLasted(elapsedMs, timeoutMs, error)) attemptTimeouts.add(error as ConnectError);
  return error;
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

/** How an attempt ended, as its endpoint's load, outlier detector and breaker want it told. */
export interface Verdict {
  readonly load: Outcome;
  readonly outlier: OutlierOutcome;
  readonly breaker: BreakerOutcome;
}

const verdicts = {
  answered: { load: "success", outlier: "success", breaker: "success" },
  /** The endpoint answered that it is unwell. */
  failed: { load: "failure", outlier: "failure", breaker: "failure" },
  /** It did not answer. */
  silent: { load: "failure", outlier: "silence", breaker: "failure" },
  /** Too busy: an answer, that attracts no load. */
  refused: { load: "failure", outlier: "refused", breaker: "success" },
  /** Ended by its caller, or by the little time that its caller gave. */
  left: { load: "cancelled", outlier: "ignored", breaker: "ignored" },
} as const satisfies Record<string, Verdict>;

export const answered: Verdict = verdicts.answered;

export function verdictOf(error: unknown): Verdict {
  if (isAttemptTimeout(error)) return verdicts.silent;
  const code = codeName(error);
  if (code === "CANCELLED" || code === "DEADLINE_EXCEEDED") return verdicts.left;
  if (blamesEndpoint(error)) return isUnreachable(error) ? verdicts.silent : verdicts.failed;
  if (code === "RESOURCE_EXHAUSTED" && cameFromPeer(error)) return verdicts.refused;
  return verdicts.answered;
}

/** The connection failed, or there is none: this end says so, and not the peer. */
export function isUnreachable(error: unknown): boolean {
  return codeName(error) === "UNAVAILABLE" && !cameFromPeer(error);
}

/** The server refused the call before it began, because it has too many: another attempt is safe, elsewhere. */
export function wasShed(error: unknown): boolean {
  return error instanceof ConnectError && error.metadata.has(headers.shed);
}

/**
 * What the server says of the wait before another attempt (gRFC A6): milliseconds, or "never". What can't be read means never, as the gRFC
 * has it.
 */
export function pushbackOf(error: unknown): number | "never" | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const value = error.metadata.get("grpc-retry-pushback-ms");
  if (value === null) return undefined;
  return /^\d{1,9}$/.test(value) ? Number(value) : "never";
}

/** Keeps in mind for the answer to this call's own caller that it was another service that couldn't be reached. */
export function noteUnavailable(service: string): void {
  const downstream = currentCall()?.downstream;
  if (downstream) downstream.unavailable = service;
}

function passesOn(error: unknown): boolean {
  return error instanceof ConnectError && error.metadata.has(headers.unavailablePeer);
}
