import { currentCall } from "@weft/context";
import { inSpan } from "@weft/telemetry";
import type { Kysely, Transaction } from "kysely";
import { storeResponse } from "./command-response.ts";
import { isSerializationFailure } from "./errors.ts";
import type { Faults } from "./faults.ts";
import { pause } from "./pause.ts";
import { isStalePlan } from "./statement-names.ts";
import { runInScope, type Scope } from "./transaction.ts";

export interface OutermostOptions {
  /** Runs of one transaction, the first included. */
  readonly maxAttempts: number;
  readonly random: () => number;
  readonly faults?: Faults | undefined;
  readonly notify: (channel: string) => void;
}

/**
 * Begins a transaction and ends it: commit when `work` returns, roll back when it throws. One that lost against
 * another (40001, 40P01), or met a schema that has just changed, runs again as a whole after a short random pause, so `work` must have no effect outside the
 * database. The response of a keyed command is written at the end, in the same commit.
 */
export async function runOutermost<DB, T>(
  owner: object,
  db: Kysely<DB>,
  work: (tx: Transaction<DB>) => Promise<T>,
  options: OutermostOptions,
): Promise<T> {
  const { maxAttempts, random } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await inSpan("transaction", { attributes: { "weft.store.attempt": attempt } }, () =>
        runOnce(owner, db, work, options),
      );
    } catch (error) {
      if (attempt >= maxAttempts || !(isSerializationFailure(error) || isStalePlan(error))) throw error;
      await pause(random() * 10 * 2 ** attempt, currentCall()?.signal);
    }
  }
}

async function runOnce<DB, T>(
  owner: object,
  db: Kysely<DB>,
  work: (tx: Transaction<DB>) => Promise<T>,
  { faults, notify }: OutermostOptions,
): Promise<T> {
  const committed: (() => void)[] = [];
  const command = currentCall()?.command;
  let stored = false;
  let failure: { readonly error: unknown } | undefined;
  let result: T;
  try {
    result = await db.transaction().execute(async (tx) => {
      const scope: Scope = {
        owner,
        tx: tx as unknown as Transaction<unknown>,
        depth: 0,
        committed,
        faults,
        notify,
        turn: Promise.resolve(),
      };
      try {
        const value = await runInScope(scope, () => work(tx));
        if (command?.encode) {
          await storeResponse(scope.tx, command, command.encode(value));
          stored = true;
        }
        return value;
      } catch (error) {
        failure = { error };
        throw error;
      }
    });
  } catch (error) {
    // A rollback over a broken connection fails too: what broke first is the reason.
    throw failure ? failure.error : error;
  }
  if (command && stored) command.stored = true;
  for (const hook of committed) hook();
  return result;
}
