import { resolve } from "node:path";
import { startEphemeralInfrastructure } from "@weft/devstack";

/** A PostgreSQL server of a test's own, which it may kill and start again on the same port and data. */
export interface OwnServer {
  /** An administrator's. */
  readonly url: string;
  /** kill -9 */
  kill(): Promise<void>;
  /** As an administrator does: clients are told. */
  stop(): Promise<void>;
  /** Resolves when it serves. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The rest of what a stack has is the test run's. */
export async function startOwnServer(): Promise<OwnServer> {
  const root = resolve(import.meta.dirname, "../../../..");
  const infrastructure = await startEphemeralInfrastructure(root, { ...process.env, DATABASE_URL: "" }, () => {});
  const { postgres } = infrastructure;
  return {
    url: postgres.url,
    kill: () => postgres.kill(),
    stop: () => postgres.stop(),
    start: () => postgres.start(),
    close: () => infrastructure.stop(),
  };
}
