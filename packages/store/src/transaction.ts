import { AsyncLocalStorage } from "node:async_hooks";
import type { Transaction } from "kysely";
import type { Faults } from "./faults.ts";

/** A transaction that is open in this async context, or a part of one that rolls back by itself. */
export interface Scope {
  /** Whose it is: another store's transaction is not joined. */
  readonly owner: object;
  readonly tx: Transaction<unknown>;
  readonly depth: number;
  readonly committed: (() => void)[];
  readonly faults: Faults | undefined;
  readonly notify: (channel: string) => void;
  /** The nested call that runs now; savepoints nest, so nested calls take turns. */
  turn: Promise<unknown>;
}

const scopes = new AsyncLocalStorage<Scope>();

export function activeScope(): Scope | undefined {
  return scopes.getStore();
}

export function runInScope<T>(scope: Scope, work: () => T): T {
  return scopes.run(scope, work);
}

/** The transaction that is active in this async context, typed as whoever asks knows its tables. */
export function currentTransaction<DB = unknown>(): Transaction<DB> | undefined {
  return scopes.getStore()?.tx as unknown as Transaction<DB> | undefined;
}

/**
 * Tells those who `listen` to a channel, in all processes, once the active transaction has committed. A crash right after the commit may lose it,
 * so that listeners poll besides. Throws outside of a transaction.
 */
export function notifyOnCommit(channel: string): void {
  const scope = scopes.getStore();
  if (!scope) throw new Error(`${channel} was notified outside of a transaction: nothing would be committed`);
  scope.committed.push(() => scope.notify(channel));
}

/** The crash drill of the store whose transaction is active. */
export function currentFaults(): Faults | undefined {
  return scopes.getStore()?.faults;
}

/**
 * Runs `hook` after the active transaction committed, and never if it rolls back; at once when none is active. A hook
 * wakes somebody or drops a cache: it must not throw, and what must not be lost belongs into the transaction.
 */
export function onCommit(hook: () => void): void {
  const scope = scopes.getStore();
  if (scope) scope.committed.push(hook);
  else hook();
}
