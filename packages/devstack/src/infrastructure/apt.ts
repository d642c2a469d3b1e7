import { existsSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, type Run } from "../process/programs.ts";

/** invoke-rc.d asks this file before a package starts its daemon; 101 means "not allowed". */
const POLICY = "/usr/sbin/policy-rc.d";

export interface Apt {
  /** Root on Debian or Ubuntu: packages can be installed. */
  available(env: NodeJS.ProcessEnv): boolean;
  /** Installs packages without letting them start daemons. Rejects with what apt-get said. */
  install(packages: readonly string[], env: NodeJS.ProcessEnv, run: Run): Promise<void>;
}

/** One at a time: apt-get locks its lists, and two servers that are missing are looked for at once. */
export function createApt(pauseMs = 1_000): Apt {
  let updated = false;
  let turn: Promise<void> = Promise.resolve();

  async function install(packages: readonly string[], env: NodeJS.ProcessEnv, run: Run): Promise<void> {
    const guard = !existsSync(POLICY);
    if (guard) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    try {
      if (!updated) await aptGet(["update"], env, run, pauseMs);
      updated = true;
      await aptGet(["install", "--yes", "--no-install-recommends", ...packages], env, run, pauseMs);
    } finally {
      if (guard) rmSync(POLICY, { force: true });
    }
  }

  return {
    available: (env) =>
      process.getuid?.() === 0 && existsSync("/etc/debian_version") && findProgram("apt-get", env) !== undefined,
    install(packages, env, run) {
      const done = turn.then(() => install(packages, env, run));
      turn = done.catch(() => {});
      return done;
    },
  };
}

export const apt: Apt = createApt();

/** Waits up to a minute for another apt-get of this machine to end: only the lock of dpkg has a time-out of its own. */
async function aptGet(args: readonly string[], env: NodeJS.ProcessEnv, run: Run, pauseMs: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    const result = await run("apt-get", ["-o", "DPkg::Lock::Timeout=60", ...args], {
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
      timeoutMs: 300_000,
    });
    if (result.code === 0) return;
    if (tries === 60 || !/Could not get lock/.test(result.stderr)) {
      throw new Error(`apt-get ${args.join(" ")} failed (code ${result.code}):\n${result.stderr.trim()}`);
    }
    await sleep(pauseMs);
  }
}
