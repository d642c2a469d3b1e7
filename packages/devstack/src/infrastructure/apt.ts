import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findProgram, type Run } from "../process/programs.ts";

/** invoke-rc.d asks this file before a package starts its daemon; 101 means "not allowed". */
const POLICY = "/usr/sbin/policy-rc.d";

export interface Apt {
  /** Root on Debian or Ubuntu: packages can be installed. */
  available(env: NodeJS.ProcessEnv): boolean;
  /** Installs packages without letting them start daemons. Rejects with what apt-get said. */
  install(packages: readonly string[], env: NodeJS.ProcessEnv, run: Run): Promise<void>;
}

export const apt: Apt = {
  available: (env) =>
    process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get", env) !== undefined,

  async install(packages, env, run) {
    const guard = !existsSync(POLICY);
    if (guard) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    try {
      await aptGet(["update"], env, run);
      await aptGet(["install", "--yes", "--no-install-recommends", ...packages], env, run);
    } finally {
      if (guard) rmSync(POLICY, { force: true });
    }
  },
};

async function aptGet(args: readonly string[], env: NodeJS.ProcessEnv, run: Run): Promise<void> {
  const result = await run("apt-get", ["-o", "DPkg::Lock::Timeout=60", ...args], {
    env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
    timeoutMs: 300_000,
  });
  if (result.code !== 0)
    throw new Error(`apt-get ${args.join(" ")} failed (code ${result.code}):\n${result.stderr.trim()}`);
}
