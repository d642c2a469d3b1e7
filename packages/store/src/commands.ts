import { sql } from "kysely";
import type { Migration } from "./migration.ts";
import type { Store } from "./store.ts";

export const commandMigrations: readonly Migration[] = [
  {
    id: "weft.store/0001_commands",
    sql: `
      create schema if not exists weft;
      create table weft.commands (
        scope text not null,
        key text not null,
        request_hash bytea not null,
        claim bigint not null default 1,
        lease_until timestamptz not null,
        response bytea,
        claimed_at timestamptz not null default now(),
        completed_at timestamptz,
        primary key (scope, key)
      );
      create index commands_claimed_at on weft.commands (claimed_at);`,
  },
  {
    id: "weft.store/0002_command_claims",
    sql: `
      -- A claim's number is never used again, also where its key was released and claimed anew.
      create sequence weft.command_claims;
      select setval('weft.command_claims', (select coalesce(max(claim), 0) + 1 from weft.commands));
      alter table weft.commands alter column claim set default nextval('weft.command_claims');`,
  },
];

export type CommandClaim =
  /** The command is the caller's to run. `claim` fences it against whoever takes over after the lease. */
  | { readonly kind: "claimed"; readonly claim: bigint }
  /** It ran: these are the bytes that were answered. */
  | { readonly kind: "stored"; readonly response: Uint8Array }
  /** The key belongs to another request. */
  | { readonly kind: "mismatch" }
  /** Another caller's claim is within its lease. */
  | { readonly kind: "running" };

interface CommandKey {
  /** The method's full name. */
  readonly scope: string;
  readonly key: string;
}

/**
 * Responses of keyed commands. The claim is committed before the command runs; `Store.transaction` commits the change
 * and the response together, under `currentCall().command`; complete is for a command that had no transaction.
 */
export interface CommandStore {
  claim(
    command: CommandKey & {
      readonly requestHash: Uint8Array;
      /** Milliseconds after which a claim without response can be taken over. */
      readonly leaseMs: number;
    },
  ): Promise<CommandClaim>;
  /** Stores the response, unless there is one already. With `claim`, only for that claim. */
  complete(command: CommandKey & { readonly response: Uint8Array; readonly claim?: bigint }): Promise<void>;
  /** Frees the key of a command that failed; one with a response stays. With `claim`, only for that claim. */
  release(command: CommandKey & { readonly claim?: bigint }): Promise<void>;
  /** Forgets commands that were claimed longer ago than the retention, and are not running, at most `limit` of them; resolves with how many. */
  sweep(sweep: { readonly retentionMs: number; readonly limit?: number }): Promise<number>;
}

/** Keyed commands in the table `weft.commands` of the service's own database (`commandMigrations`). */
export function createCommandStore<DB>({ db }: Store<DB>): CommandStore {
  return {
    async claim({ scope, key, requestHash, leaseMs }) {
      const hash = Buffer.from(requestHash);
      const lease = sql`now() + ${leaseMs} * interval '1 millisecond'`;
      for (;;) {
        const claimed = await sql<{ claim: string }>`
          insert into weft.commands as c (scope, key, request_hash, lease_until) values (${scope}, ${key}, ${hash}, ${lease})
          on conflict (scope, key) do update set lease_until = ${lease}, claim = default, claimed_at = now()
            where c.response is null and c.lease_until < now() and c.request_hash = excluded.request_hash
          returning claim`.execute(db);
        if (claimed.rows[0]) return { kind: "claimed", claim: BigInt(claimed.rows[0].claim) };
        const held = await sql<{ same: boolean; response: Buffer | null }>`
          select request_hash = ${hash} as same, response from weft.commands where scope = ${scope} and key = ${key}`.execute(
          db,
        );
        const row = held.rows[0];
        // Released between the two statements: claim again.
        if (!row) continue;
        if (!row.same) return { kind: "mismatch" };
        return row.response ? { kind: "stored", response: new Uint8Array(row.response) } : { kind: "running" };
      }
    },
    async complete({ scope, key, response, claim = null }) {
      await sql`
        update weft.commands set response = ${Buffer.from(response)}, completed_at = now()
        where scope = ${scope} and key = ${key} and response is null
          and claim = coalesce(${claim}::bigint, claim)`.execute(db);
    },
    async release({ scope, key, claim = null }) {
      await sql`
        delete from weft.commands where scope = ${scope} and key = ${key} and response is null
          and claim = coalesce(${claim}::bigint, claim)`.execute(db);
    },
    async sweep({ retentionMs, limit = 1_000 }) {
      const { numAffectedRows } = await sql`
        delete from weft.commands where ctid = any(array(
          select ctid from weft.commands
          where claimed_at < now() - ${retentionMs} * interval '1 millisecond' and lease_until < now()
          order by claimed_at limit ${limit} for update skip locked))`.execute(db);
      return Number(numAffectedRows ?? 0n);
    },
  };
}
