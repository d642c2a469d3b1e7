import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Infrastructure, startInfrastructure } from "./infrastructure/infrastructure.ts";
import { endLeftovers, killEverything, openLedger } from "./process/ledger.ts";
import { run } from "./process/programs.ts";

export interface EphemeralInfrastructure extends Infrastructure {
  /** Ends everything at once, without asking; for a user who has lost patience. */
  abandon(): void;
}

/** Infrastructure of its own for one run: free ports, and a data folder that goes when it stops. */
export async function startEphemeralInfrastructure(
  root: string,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<EphemeralInfrastructure> {
  const runs = join(root, ".weft", "runs");
  mkdirSync(runs, { recursive: true });
  await sweep(runs, say);
  const dataDir = mkdtempSync(join(runs, "run-"));
  chmodSync(dataDir, 0o755);
  const ledger = await openLedger(dataDir, say);
  const clear = () => {
    ledger.release();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const ground = { root, dataDir, env, ports: "free", ledger, say, run, ephemeral: true } as const;
    const infrastructure = await startInfrastructure(ground);
    return {
      ...infrastructure,
      async stop() {
        await infrastructure.stop();
        clear();
      },
      abandon: () => killEverything(dataDir),
    };
  } catch (error) {
    clear();
    throw error;
  }
}

/** Runs that were killed leave folders, and perhaps processes. Those of runs that go on are left alone. */
async function sweep(runs: string, say: (text: string) => void): Promise<void> {
  for (const name of readdirSync(runs)) {
    const folder = join(runs, name);
    try {
      await endLeftovers(folder, say);
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Its supervisor lives.
    }
  }
}
