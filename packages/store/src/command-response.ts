import type { KeyedCommand } from "@weft/context";
import { sql, type Transaction } from "kysely";

/** The claim of a keyed command is gone or answered: another run of it won, and this one's changes were rolled back. */
export class CommandTakenOver extends Error {
  override readonly name = "CommandTakenOver";
}

/**
 * Writes a keyed command's response in the transaction of its change. The row is locked until the commit, so that of
 * two runs (one whose lease passed, and the one that took over) exactly one commits: the one that has the claim.
 */
export async function storeResponse(
  tx: Transaction<unknown>,
  command: KeyedCommand,
  response: Uint8Array,
): Promise<void> {
  // A command of several transactions keeps the last one's response; only its own may be replaced.
  const { numAffectedRows } = await sql`
    update weft.commands set response = ${Buffer.from(response)}, completed_at = now()
    where scope = ${command.scope} and key = ${command.key}
      and claim = coalesce(${command.claim ?? null}::bigint, claim) and (response is null or ${command.stored})`.execute(
    tx,
  );
  if (numAffectedRows !== 1n) {
    throw new CommandTakenOver(`another run of ${command.scope} with the same key won: ask again for its response`);
  }
}
