import {
  AbortedTransactionError,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from "kysely";
import pg from "pg";
import { databaseCode } from "./errors.ts";
import { markError } from "./own-errors.ts";
import { createStatementNames, isStalePlan, type StatementNames } from "./statement-names.ts";

/**
 * Kysely on a pool whose connections pipeline: a statement leaves at once, also while the answers to those before it are on their
 * way. What opens or closes a part of a transaction is not waited for, so that it costs no way to the server and back: should it
 * fail, so does the statement after it, and at the end the commit. Statements with parameters are prepared under a
 * name, once a connection, so that the server parses and plans each of them once.
 */
export function pipelinedDialect(pool: pg.Pool): Dialect {
  return {
    createDriver: () => createDriver(pool),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

interface Connection extends DatabaseConnection {
  release(broken: boolean): void;
}

function createDriver(pool: pg.Pool): Driver {
  const names = createStatementNames();
  const broken = new WeakSet<DatabaseConnection>();
  // Kysely knows a connection by its object: one a client.
  const connections = new WeakMap<pg.PoolClient, Connection>();
  const run = (connection: DatabaseConnection, text: string) =>
    connection.executeQuery<unknown>(CompiledQuery.raw(text));
  return {
    async init() {},
    async acquireConnection() {
      const client = await pool.connect();
      const connection = connections.get(client) ?? createConnection(client, names);
      connections.set(client, connection);
      return connection;
    },
    async beginTransaction(connection, settings) {
      await run(connection, begin(settings));
    },
    async commitTransaction(connection) {
      const { rows } = await run(connection, "commit");
      // The answer to the commit of a transaction in which a statement failed.
      if (rows[0] === rolledBack) throw new AbortedTransactionError();
    },
    async rollbackTransaction(connection) {
      try {
        await run(connection, "rollback");
      } catch (error) {
        broken.add(connection);
        throw error;
      }
    },
    async releaseConnection(connection) {
      (connection as Connection).release(broken.has(connection));
    },
    // The pool belongs to the store.
    async destroy() {},
  };
}

const rolledBack = { command: "ROLLBACK" } as const;
const unanswered = /^(begin|start transaction|savepoint|release savepoint)\b/;

function createConnection(client: pg.PoolClient, names: StatementNames): Connection {
  const { stream } = client.connection;
  let gathering = false;
  let demoted = false;

  /** What is asked in one turn of the event loop leaves in one write: that costs more than most statements. */
  function gather(): void {
    if (gathering) return;
    gathering = true;
    stream.cork();
    process.nextTick(() => {
      gathering = false;
      stream.uncork();
    });
  }

  async function ask({ sql: text, parameters }: CompiledQuery): Promise<pg.QueryResult> {
    gather();
    try {
      return await send(text, parameters);
    } catch (error) {
      demoted ||= databaseCode(error) === readOnly;
      throw error;
    }
  }

  async function send(text: string, parameters: readonly unknown[]): Promise<pg.QueryResult> {
    if (parameters.length === 0) return client.query(text);
    const values = [...parameters];
    const name = names.of(text);
    try {
      return await prepared(name, text, values);
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      names.renew(name);
      // A transaction is lost with its statement, and runs again as a whole.
      if (client.getTransactionStatus() !== "I") throw error;
      return prepared(names.of(text), text, values);
    }
  }

  /** The client's own promise costs a copy of what is asked, by way of its properties' descriptors. */
  function prepared(name: string | undefined, text: string, values: unknown[]): Promise<pg.QueryResult> {
    return new Promise((resolve, reject) => {
      const callback = (error: Error | null, result: pg.QueryResult): void => {
        if (error) reject(markError(error));
        else resolve(result);
      };
      client.query(Object.assign(new pg.Query(text, values), { name, callback }));
    });
  }

  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const answer = ask(query);
      if (unanswered.test(query.sql)) {
        answer.catch(() => undefined);
        return { rows: [] };
      }
      const { command, rowCount, rows } = await answer;
      if (command === "ROLLBACK") return { rows: [rolledBack as R] };
      return changes.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows: rows ?? [] };
    },
    // biome-ignore lint/correctness/useYield: it refuses before it could
    async *streamQuery() {
      throw new Error("cursors can't share a pipelined connection: read in pages");
    },
    // One that was cut off this moment does not look so to the pool yet; one whose server is no longer the primary may lead to it when opened anew.
    release: (broken) => client.release(broken || demoted || stream.destroyed),
  };
}

const readOnly = "25006";
const changes: ReadonlySet<string> = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

function begin({ isolationLevel, accessMode }: TransactionSettings): string {
  const words = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean);
  return words.length === 0 ? "begin" : `start transaction ${words.join(" ")}`;
}
