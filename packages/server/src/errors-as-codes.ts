import { type Code, ConnectError } from "@connectrpc/connect";

/** A class of the domain's errors, and the code that its instances get on the wire. */
export type ErrorCode = readonly [domainError: abstract new (...args: never[]) => Error, code: Code];

/** A service's only place where the domain's errors become codes; their messages are the domain's own words. */
export interface ErrorsAsCodes {
  /** Answers with what `work` resolves with; rejects with `toStatus` of what it rejects with. */
  answering<T>(work: () => Promise<T>): Promise<T>;
  /** The ConnectError for an error of the table; any other error as it is. */
  toStatus(error: unknown): unknown;
}

/** Subclasses of a class in the table are not in the table. */
export function errorsAsCodes(table: readonly ErrorCode[]): ErrorsAsCodes {
  const codes: ReadonlyMap<unknown, Code> = new Map(table);
  const toStatus = (error: unknown): unknown => {
    if (!(error instanceof Error)) return error;
    const code = codes.get(error.constructor);
    return code === undefined ? error : new ConnectError(error.message, code);
  };
  return {
    toStatus,
    async answering(work) {
      try {
        return await work();
      } catch (error) {
        throw toStatus(error);
      }
    },
  };
}
