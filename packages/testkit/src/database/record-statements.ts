import type { StoreOptions } from "@weft/store";
import { type Logger, silentLogger } from "@weft/telemetry";

/** What a store was asked, for a test that asks how the database would find it. */
export interface RecordedStatements {
  /** Given to openStore or createTestDatabase. The pool's own `query` is not recorded, so that a test can fill tables with it. */
  readonly options: Required<Pick<StoreOptions, "logger" | "slowQueryMs">>;
  /** Each text once, in the order in which they were first run. */
  readonly statements: ReadonlySet<string>;
}

/** The log of slow statements, to which every statement is slow. */
export function recordStatements(): RecordedStatements {
  const statements = new Set<string>();
  const logger: Logger = {
    ...silentLogger,
    warn(fields) {
      if ("sql" in fields && typeof fields.sql === "string") statements.add(fields.sql);
    },
    child: () => logger,
  };
  return { options: { logger, slowQueryMs: -1 }, statements };
}
