import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeContainers } from "../infrastructure/compose.ts";
import { endFormer } from "../infrastructure/postgres.ts";
import { endLeftovers } from "../process/ledger.ts";
import { findProgram, run } from "../process/programs.ts";

/** What `dev` keeps below .weft/. Anything else there is somebody else's. */
const KEPT =
  /^(nats(-\d)?|redis|postgres|mail|payments|logs|postgres\.password|passwords\.json|dev\.json|compose\..*\.yml)$/;

/** `weft reset`: empties dev's data. Rejects with StackRunningError while a stack uses it. */
export async function reset(root: string, say: (text: string) => void): Promise<number> {
  const dataDir = join(root, ".weft");
  await endLeftovers(dataDir, say);
  await endFormer(join(dataDir, "postgres"), say);
  if (findProgram("docker", process.env)) await removeContainers(root, dataDir, run);
  for (const name of list(dataDir).filter((entry) => KEPT.test(entry))) {
    rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  say("the data of dev is gone; the next start begins anew");
  return 0;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
