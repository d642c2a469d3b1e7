import { type Logger, silentLogger } from "@weft/telemetry";
import { Kysely, type Transaction } from "kysely";
import pg from "pg";
import { pipelinedDialect } from "./driver.ts";
import type { Faults } from "./faults.ts";
import { joinTransaction } from "./join.ts";
import { createListener, type Listening } from "./listener.ts";
import { createNotifier } from "./notifier.ts";
import { runOutermost } from "./outermost.ts";
import { markErrors } from "./own-errors.ts";
import { createQueryLog } from "./query-log.ts";
import { activeScope, type Scope } from "./transaction.ts";

/** A service's own database. Whoever opened it closes it. */
export interface Store<DB> {
  /** Statements outside of any transaction, even while one is active: inside use the one that `transaction` hands out. */
  readonly db: Kysely<DB>;
  readonly pool: pg.Pool;
  /**
   * All or nothing. Joins the transaction that is active in this async context: the inner part rolls back by itself
   * when it throws, and the outer one commits. A transaction that lost against another runs again as a whole, so
   * `work` must have no effect outside the database. While a keyed command runs, its response is stored in the commit.
   */
  transaction<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T>;
  /**
   * The same, but no part that rolls back by itself: a transaction that is active is used as it is, which saves both statements of
   * a savepoint. What `work` did before it threw stays, unless the error ends the whole: for handlers of events, where it does. It
   * takes no turns: nothing else of the transaction may run beside it.
   */
  within<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T>;
  /**
   * Calls back after each commit that notified the channel (`notifyOnCommit`), in this process or another, once when it begins to
   * listen, and after each reconnect, since notifications may have been missed. Resolves when it listens.
   */
  listen(channel: string, onNotify: () => void): Promise<Listening>;
  /** A connection of its own, outside the pool, for what belongs to a session (locks); the caller ends it. */
  connect(purpose: string): Promise<pg.Client>;
  /** Rejects when the database doesn't answer. */
  ping(): Promise<void>;
  /** Waits for what runs, then closes all connections. */
  close(): Promise<void>;
}

export interface StoreOptions {
  /** postgres://role:password@host:port/database */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly application: string;
  /** Default 10. */
  readonly maxConnections?: number;
  /** Longest statement, in milliseconds; default 10,000. */
  readonly statementTimeoutMs?: number;
  /**
   * Longest time without an answer to a statement of the pool, in milliseconds, after which its connection is given up: the
   * database's machine is gone, or the way to it. Default: as long as a statement may take, and 5,000 more.
   */
  readonly answerTimeoutMs?: number;
  /** Longest wait for a lock that another transaction holds, in milliseconds; default: as long as a statement may take. */
  readonly lockTimeoutMs?: number;
  /** Longest wait for a connection, a free one or a new one, in milliseconds; default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A slower statement is logged as a warning, in milliseconds; default 500. */
  readonly slowQueryMs?: number;
  /** Runs of a transaction that loses against others, the first included; default 5. */
  readonly maxAttempts?: number;
  readonly logger?: Logger;
  readonly random?: () => number;
  /** A crash drill, told of the events that this store's transactions publish. */
  readonly faults?: Faults;
}

/** Opens a pool on a PostgreSQL database. Nothing connects before it is needed. */
export function openStore<DB>(options: StoreOptions): Store<DB> {
  const { logger = silentLogger, random = Math.random, maxAttempts = 5, statementTimeoutMs = 10_000 } = options;
  const config: pg.ClientConfig = {
    connectionString: options.url,
    application_name: options.application,
    statement_timeout: statementTimeoutMs,
    ...(options.lockTimeoutMs !== undefined && { lock_timeout: options.lockTimeoutMs }),
    // A client that died without a word must not hold its locks for ever.
    idle_in_transaction_session_timeout: Math.max(60_000, 2 * statementTimeoutMs),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
  const pool = markErrors(
    new pg.Pool({
      ...config,
      pipeline: true,
      query_timeout: options.answerTimeoutMs ?? statementTimeoutMs + 5_000,
      max: options.maxConnections ?? 10,
      idleTimeoutMillis: 30_000,
    }),
    "connect",
  );
  // An idle connection's end, and one that breaks while a caller holds it: the next statement fails, the process lives on.
  pool.on("error", (error) => logger.warn({ error }, "an idle connection to the database was lost"));
  pool.on("connect", (client) => void markErrors(client, "query").on("error", () => undefined));
  const db = new Kysely<DB>({
    dialect: pipelinedDialect(pool),
    log: createQueryLog({
      namespace: new URL(options.url).pathname.slice(1),
      slowQueryMs: options.slowQueryMs ?? 500,
      logger,
    }),
  });

  async function connect(purpose: string): Promise<pg.Client> {
    const settings = { ...config, application_name: `${options.application} ${purpose}` };
    const client = markErrors(new pg.Client(settings), "connect", "query");
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  const listener = createListener(() => connect("listen"), { logger, random });
  const notifier = createNotifier({
    call: listener.call,
    async send(channels) {
      await pool.query("select pg_notify(channel, '') from unnest($1::text[]) as channel", [channels]);
    },
  });
  const outermost = { maxAttempts, random, faults: options.faults, notify: notifier.notify };
  const ownScope = (): Scope | undefined => {
    const scope = activeScope();
    return scope?.owner === pool ? scope : undefined;
  };
  let closed: Promise<void> | undefined;
  return {
    db,
    pool,
    transaction(work) {
      const scope = ownScope();
      return scope ? joinTransaction(scope, work) : runOutermost(pool, db, work, outermost);
    },
    async within(work) {
      const scope = ownScope();
      return scope ? work(scope.tx as unknown as Transaction<DB>) : runOutermost(pool, db, work, outermost);
    },
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    connect,
    async ping() {
      await pool.query("select 1");
    },
    close() {
      closed ??= (async () => {
        notifier.close();
        await listener.close();
        await pool.end();
      })();
      return closed;
    },
  };
}
