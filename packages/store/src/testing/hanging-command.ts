import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { createCommandStore, openStore } from "../index.ts";

interface Command {
  readonly scope: string;
  readonly key: string;
  readonly requestHash: Uint8Array;
  readonly leaseMs: number;
}

export interface Victim {
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** A process of its own that claims a command, changes `account` for it, and never commits. Resolves when it has. */
export async function startHangingCommand(url: string, { requestHash, ...command }: Command): Promise<Victim> {
  const asked = JSON.stringify({ ...command, requestHash: [...requestHash] });
  const args = ["--conditions=source", fileURLToPath(import.meta.url), url, asked];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exited]);
  if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode} before it hung`);
  return {
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [url = "", asked = "{}"] = process.argv.slice(2);
  const command = JSON.parse(asked);
  const store = openStore({ url, application: "hanging-command" });
  await createCommandStore(store).claim({ ...command, requestHash: new Uint8Array(command.requestHash) });
  await store.transaction(async (tx) => {
    await sql`insert into account values ('the victim''s', 0)`.execute(tx);
    process.stdout.write("hanging");
    await new Promise(() => {});
  });
}
