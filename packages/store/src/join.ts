import { sql, type Transaction } from "kysely";
import { runInScope, type Scope } from "./transaction.ts";

/**
 * A transaction inside one: a savepoint, so that an error undoes what the inner one did, and the outer one may catch it
 * and go on. Hooks of an inner one that failed never run.
 */
export function joinTransaction<DB, T>(outer: Scope, work: (tx: Transaction<DB>) => Promise<T>): Promise<T> {
  const run = async (): Promise<T> => {
    const { tx } = outer;
    const savepoint = sql.id(`weft_${outer.depth + 1}`);
    const inner: Scope = { ...outer, depth: outer.depth + 1, committed: [], turn: Promise.resolve() };
    await sql`savepoint ${savepoint}`.execute(tx);
    let result: T;
    try {
      result = await runInScope(inner, () => work(tx as unknown as Transaction<DB>));
    } catch (error) {
      try {
        await sql`rollback to savepoint ${savepoint}`.execute(tx);
      } catch (rollback) {
        throw new Error("the transaction is lost: its connection failed", { cause: rollback });
      }
      throw error;
    }
    await sql`release savepoint ${savepoint}`.execute(tx);
    outer.committed.push(...inner.committed);
    return result;
  };
  const turn = outer.turn.then(run);
  outer.turn = turn.catch(() => undefined);
  return turn;
}
