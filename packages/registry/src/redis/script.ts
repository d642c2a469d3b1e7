import { createHash } from "node:crypto";
import type { Connection } from "./connection.ts";

/** A Lua script that Redis runs atomically. */
export interface Script {
  /** What it calls, in lower case: whoever runs it needs the right to. */
  readonly commands: readonly string[];
  run(redis: Connection, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}

/** Sends the script's hash, and its text when Redis doesn't know it (it forgets on restart). Read-only ones need only read rights. */
export function createScript(lua: string, { readOnly }: { readonly readOnly: boolean }): Script {
  const hash = createHash("sha1").update(lua).digest("hex");
  const suffix = readOnly ? "_RO" : "";
  return {
    commands: [...lua.matchAll(/redis\.call\('(\w+)'/g)].map(([, command = ""]) => command.toLowerCase()),
    async run(redis, keys, args) {
      const rest = [keys.length, ...keys, ...args];
      try {
        return await redis.call(`EVALSHA${suffix}`, hash, ...rest);
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return await redis.call(`EVAL${suffix}`, lua, ...rest);
      }
    },
  };
}
