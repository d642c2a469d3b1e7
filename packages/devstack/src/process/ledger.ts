import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess, identify, isRunning, type ProcessIdentity, signalQuietly, waitUntilGone } from "./identity.ts";

/** What is written to `stack.json`, so that whoever comes after a kill -9 knows what was left running. */
interface LedgerFile {
  readonly supervisor: ProcessIdentity;
  /** The process that asked for the stack (npm, turbo); a stack that it left behind may be ended. */
  readonly launcher?: ProcessIdentity;
  readonly stopping?: boolean;
  readonly children: readonly (ProcessIdentity & { readonly name: string })[];
}

export interface Ledger {
  add(name: string, pid: number): void;
  remove(pid: number): void;
  /** Tells others that this stack is on its way out. */
  stopping(): void;
  release(): void;
}

/** Another stack works in this data folder and its supervisor is alive and well. */
export class StackRunningError extends Error {
  override readonly name = "StackRunningError";
  readonly supervisor: ProcessIdentity;
  constructor(supervisor: ProcessIdentity) {
    super(
      `A stack is running already (process ${supervisor.pid}). Stop it first: Ctrl-C where it runs, or kill ${supervisor.pid}.`,
    );
    this.supervisor = supervisor;
  }
}

/**
 * Takes the data folder for this process. What a killed supervisor left running is ended first, by process id and
 * start time. Rejects with StackRunningError while another supervisor lives.
 */
export async function openLedger(
  dataDir: string,
  say: (text: string) => void,
  launcher?: ProcessIdentity,
): Promise<Ledger> {
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  await endLeftovers(dataDir, say);
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("The start time of this process can't be read.");
  const children = new Map<number, ProcessIdentity & { name: string }>();
  let stopping = false;
  const file = ledgerPath(dataDir);
  const content = () =>
    JSON.stringify({ supervisor, launcher, stopping, children: [...children.values()] } satisfies Loose<LedgerFile>);
  writeFileSync(file, content(), { flag: "wx" });
  const write = () => {
    writeFileSync(`${file}.next`, content());
    renameSync(`${file}.next`, file);
  };
  return {
    add(name, pid) {
      const identity = identify(pid);
      if (identity === undefined) return;
      children.set(pid, { name, ...identity });
      write();
    },
    remove(pid) {
      if (children.delete(pid)) write();
    },
    stopping() {
      stopping = true;
      write();
    },
    release() {
      rmSync(file, { force: true });
    },
  };
}

/** The supervisor that works in this folder now, if any. */
export function runningSupervisor(dataDir: string): ProcessIdentity | undefined {
  const found = readLedger(dataDir);
  return found !== undefined && isRunning(found.supervisor) ? found.supervisor : undefined;
}

/** Ends what a killed supervisor left behind; does nothing else. Rejects with StackRunningError while one lives. */
export async function endLeftovers(dataDir: string, say: (text: string) => void): Promise<void> {
  const found = readLedger(dataDir);
  if (found === undefined) return rmSync(ledgerPath(dataDir), { force: true });
  if (isRunning(found.supervisor)) {
    const abandoned = found.stopping === true || (found.launcher !== undefined && !isRunning(found.launcher));
    if (!abandoned) throw new StackRunningError(found.supervisor);
    say(`waiting for the stack of process ${found.supervisor.pid}, which is stopping`);
    if (!(await waitUntilGone(found.supervisor, 15_000))) await endProcess(found.supervisor, 0);
  }
  const left = found.children.filter(isRunning);
  if (left.length > 0) {
    say(
      `ending what process ${found.supervisor.pid} left running: ${left.map((c) => `${c.name} (${c.pid})`).join(", ")}`,
    );
    await Promise.all(left.map((child) => endProcess(child, 5_000, child.name === "postgres" ? "SIGINT" : "SIGTERM")));
  }
  rmSync(ledgerPath(dataDir), { force: true });
}

/** The last resort, on a second Ctrl-C: everything that the ledger knows dies at once. */
export function killEverything(dataDir: string): void {
  for (const child of readLedger(dataDir)?.children ?? []) {
    if (isRunning(child)) signalQuietly(child.pid, child.name === "postgres" ? "SIGQUIT" : "SIGKILL");
  }
  rmSync(ledgerPath(dataDir), { force: true });
}

type Loose<T> = { [K in keyof T]: T[K] | undefined };

function ledgerPath(dataDir: string): string {
  return join(dataDir, "stack.json");
}

function readLedger(dataDir: string): LedgerFile | undefined {
  try {
    return JSON.parse(readFileSync(ledgerPath(dataDir), "utf8")) as LedgerFile;
  } catch {
    return undefined;
  }
}
