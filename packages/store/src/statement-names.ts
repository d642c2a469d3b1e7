/** Names under which statements are prepared. */
export interface StatementNames {
  /** The statement's name; undefined for one that is better parsed each time, since there are too many. */
  of(text: string): string | undefined;
  /** Gives new names, since what was prepared under this one no longer fits the schema. Once: connections that find out later have new ones already. */
  renew(stale: string | undefined): void;
}

/** Each prepared statement costs the server memory on each connection: texts that are put together from lists may be endless. */
const most = 500;

export function createStatementNames(): StatementNames {
  const names = new Map<string, string>();
  let generation = 0;
  return {
    of(text) {
      let name = names.get(text);
      if (name === undefined && names.size < most) {
        name = `weft_${generation}_${names.size}`;
        names.set(text, name);
      }
      return name;
    },
    renew(stale) {
      if (stale === undefined || ![...names.values()].includes(stale)) return;
      generation += 1;
      names.clear();
    },
  };
}

/** Whether a prepared statement was refused since a migration changed what it answers. It succeeds when it is prepared anew. */
export function isStalePlan(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const stale = "code" in error && error.code === "0A000" && error.message.includes("cached plan");
  return stale || isStalePlan(error.cause);
}
