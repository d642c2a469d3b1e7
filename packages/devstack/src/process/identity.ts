import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process that can't be mistaken for another: its id, and when it started, since ids are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for the same process only. */
  readonly startedAt: string;
}

/** Who runs under this id now; undefined when nobody does (a zombie counts as nobody). */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === "linux" ? linuxStart(pid) : portableStart(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** Resolves true once the process is gone, false when it still runs after the time. */
export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (let waited = 0; isRunning(identity); waited += 50) {
    if (waited >= timeoutMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/** Ends exactly this process: asks it first, insists after `timeoutMs`. Does nothing when the id is somebody else's by now. */
export async function endProcess(identity: ProcessIdentity, timeoutMs: number, signal: NodeJS.Signals = "SIGTERM") {
  if (!isRunning(identity)) return;
  signalQuietly(identity.pid, signal);
  if (await waitUntilGone(identity, timeoutMs)) return;
  if (isRunning(identity)) signalQuietly(identity.pid, "SIGKILL");
  await waitUntilGone(identity, 5_000);
}

/** Sends a signal; a process that has just gone is no error. A negative id names a process group. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** proc(5): field 22 of stat is the start in ticks since boot, so the boot's own id belongs to it. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function portableStart(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync("ps", ["-o", "state=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : started.join(" ");
  } catch {
    return undefined;
  }
}
