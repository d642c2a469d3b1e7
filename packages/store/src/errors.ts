import { isOwnError } from "./own-errors.ts";

/** What of a database error this package looks at: an SQLSTATE or a system code, and what was violated. */
interface DatabaseError {
  readonly code: string | undefined;
  readonly constraint: string | undefined;
  readonly message: string;
  /** Whether a store failed with it, and not somebody else's socket. */
  readonly own: boolean;
}

/** Whether a unique constraint refused the write; of that name, when one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return causes(error).some(
    (cause) => cause.code === "23505" && (constraint === undefined || cause.constraint === constraint),
  );
}

/** Whether the transaction lost against another one and may succeed when it runs again as a whole. */
export function isSerializationFailure(error: unknown): boolean {
  return causes(error).some((cause) => cause.code === "40001" || cause.code === "40P01");
}

/** Whether a lock wasn't free within `lock_timeout`, or at once where NOWAIT asked for that. */
export function isLockTimeout(error: unknown): boolean {
  return causes(error).some((cause) => cause.code === "55P03");
}

/** Whether a statement took longer than it may, and was broken off: its transaction left nothing behind. */
export function isStatementTimeout(error: unknown): boolean {
  return causes(error).some((cause) => cause.own && cause.code === "57014");
}

/** Whether all connections of a store's pool were in use for as long as one waits for one. It is unavailable as well. */
export function isPoolExhausted(error: unknown): boolean {
  return causes(error).some((cause) => cause.own && poolExhausted.test(cause.message));
}

/**
 * Whether a store's database could not be reached, or went away: the caller may try again later. Only the store's own
 * errors count, also as the cause of another one; a peer that refuses a connection is not the database. After a lost connection
 * nobody knows whether a commit that was under way took place.
 */
export function isUnavailable(error: unknown): boolean {
  return causes(error).some(
    ({ code, message, own }) =>
      own &&
      ((code !== undefined && (unavailableCodes.has(code) || code.startsWith("08"))) || lostConnection.test(message)),
  );
}

/** Why the database refused or broke off, as one SQLSTATE or system code; undefined when the error isn't the database's. */
export function databaseCode(error: unknown): string | undefined {
  return causes(error).find((cause) => cause.code !== undefined)?.code;
}

// SQLSTATE: shutting down or starting up, out of connections, disk or memory, a broken disk, and a server that is no longer the primary; the rest are
// the socket's.
const unavailableCodes = new Set([
  ..."57P01 57P02 57P03 57P05 53100 53200 53300 58030 25006".split(" "),
  ..."ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ENOENT".split(" "),
]);

// pg throws these without a code, the first one while other connections serve.
const poolExhausted = /^timeout exceeded when trying to connect/;
const lostConnection =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Postgres connection has been discarded|Cannot use a pool after calling end)/;

function causes(error: unknown): DatabaseError[] {
  const found: DatabaseError[] = [];
  for (let cause = error; cause instanceof Error && found.length < 8; cause = cause.cause) {
    const { code, constraint } = cause as { code?: unknown; constraint?: unknown };
    found.push({
      code: typeof code === "string" ? code : undefined,
      constraint: typeof constraint === "string" ? constraint : undefined,
      message: cause.message,
      own: isOwnError(cause),
    });
  }
  return found;
}
