import { pause, type Store } from "@weft/store";
import type { Logger } from "@weft/telemetry";

export interface LeadershipOptions<DB> {
  readonly store: Store<DB>;
  /** Two numbers that name the office within the database. */
  readonly lock: readonly [number, number];
  /** Milliseconds between two tries to take the office, and between two looks at whether it is still held. */
  readonly intervalMs: number;
  /** The database's longest time to answer, in milliseconds; default 5,000. A connection that died without a word is given up then. */
  readonly answerMs?: number;
  /** A holder that was silent for so long hangs, and loses the office to one that lives, in milliseconds; default 3,000, and three intervals at least. */
  readonly hangsAfterMs?: number;
  readonly logger: Logger;
  /** Runs while this process leads; the signal aborts when it no longer does, and the work must end then. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
}

/** The connection that holds the lock, if nothing was heard of it for so many milliseconds. A role sees that of its own sessions. */
const hangingHolder = `
  select activity.pid from pg_locks as held join pg_stat_activity as activity using (pid)
  where held.locktype = 'advisory' and held.granted and held.objsubid = 2
    and held.classid = $1::bigint::oid and held.objid = $2::bigint::oid
    and held.database = (select oid from pg_database where datname = current_database())
    and activity.state_change < clock_timestamp() - $3::float8 * interval '1 millisecond'`;

/**
 * Lets one process at a time lead: whoever holds a session's advisory lock, on a connection of its own. The lock goes
 * with the connection, so that another one takes over when its holder dies. A holder looks at its lock once an interval; one that no longer does,
 * though its connection stands, hangs: who waits for the office ends that connection. Between the loss and the holder's
 * noticing both may work for a moment: what they do must bear it.
 */
export function startLeadership<DB>(options: LeadershipOptions<DB>): { close(): Promise<void>; leads(): boolean } {
  const {
    store,
    lock,
    intervalMs,
    answerMs = 5_000,
    hangsAfterMs = Math.max(3_000, 3 * intervalMs),
    logger,
    lead,
  } = options;
  const closing = new AbortController();
  let leading = false;

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await standForOffice();
      } catch (error) {
        if (closing.signal.aborted) return;
        logger.warn({ error }, "the relay's connection for its lock failed: trying again");
      }
      await pause(intervalMs, closing.signal).catch(() => undefined);
    }
  }

  async function standForOffice(): Promise<void> {
    const client = await store.connect("relay lock");
    const term = new AbortController();
    const end = (): void => term.abort(new Error("the relay no longer leads"));
    const signal = AbortSignal.any([term.signal, closing.signal]);
    client.once("end", end);
    const ask = (text: string, values: readonly unknown[] = []) => {
      const query = { text, values: [...values], query_timeout: answerMs };
      return client.query(query);
    };
    try {
      for (;;) {
        signal.throwIfAborted();
        const { rows } = await ask("select pg_try_advisory_lock($1, $2) as taken", lock);
        if (rows[0].taken) break;
        const hanging = await ask(hangingHolder, [...lock, hangsAfterMs]);
        for (const { pid } of hanging.rows) {
          logger.warn({ pid }, "the instance that relays the outbox hangs: taking over");
          await ask("select pg_terminate_backend($1)", [pid]);
        }
        await pause(hanging.rows.length > 0 ? Math.min(100, intervalMs) : intervalMs, signal);
      }
      leading = true;
      logger.info({}, "this instance relays the outbox");
      const work = lead(signal);
      const watch = async (): Promise<void> => {
        while (!signal.aborted) {
          await pause(intervalMs, signal).catch(() => undefined);
          if (!signal.aborted) await ask("select 1");
        }
      };
      await watch()
        .finally(end)
        .catch(() => undefined);
      await work;
    } finally {
      leading = false;
      await client.end().catch(() => undefined);
    }
  }

  const running = run();
  return {
    leads: () => leading,
    async close() {
      closing.abort(new Error("the relay is closed"));
      await running;
    },
  };
}
