import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Ground } from "./part.ts";

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: readonly string[];
}

/**
 * PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, which is created if need be.
 * Where a folder on the way (a clone below /root, a `mktemp -d`) lets nobody else in, that one process is given the
 * capability to pass, since neither the folder's mode nor the place of the data is ours to change.
 */
export async function serverUser(ground: Ground, data: string, program: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  let ids = await idsOf("postgres", ground);
  if (ids === undefined) {
    ground.say("PostgreSQL doesn't run as root: creating the system user postgres");
    await ground.run("groupadd", ["--system", "--force", "postgres"]);
    const made = await ground.run("useradd", [
      "--system",
      "--gid",
      "postgres",
      "--shell",
      "/usr/sbin/nologin",
      "postgres",
    ]);
    ids = await idsOf("postgres", ground);
    if (ids === undefined)
      throw new Error(`The user postgres can't be created: ${made.stderr.trim()}. Set DATABASE_URL instead.`);
  }
  const open = [dirname(data), dirname(program)].every(isOpenToAll);
  return { ...ids, capabilities: open ? [] : ["dac_override"] };
}

async function idsOf(user: string, { run }: Ground): Promise<{ uid: number; gid: number } | undefined> {
  const [uid, gid] = await Promise.all([run("id", ["-u", user]), run("id", ["-g", user])]);
  return uid.code === 0 && gid.code === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

/** Every folder from here to the root may be entered by others. */
function isOpenToAll(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    if ((statSync(folder).mode & 0o001) === 0) return false;
  } catch {
    return false;
  }
  return dirname(folder) === folder || isOpenToAll(dirname(folder));
}
