import { readdirSync, readFileSync } from "node:fs";
import type { Stack } from "@weft/devstack";

/** Milliseconds of a tick of proc_pid_stat(5): 100 a second on every Linux. */
const tickMs = 10;

/** CPU time by process so far, in milliseconds; of a server with all its children. Zeros where there is no /proc. */
export function cpuOf({ services, infrastructure }: Stack, customers: number | undefined): ReadonlyMap<string, number> {
  const { nats, redis, postgres, mail, payments } = infrastructure;
  const all = readAll();
  const timeOf = (pid: number): number => {
    const children = [...all].filter(([, { parent }]) => parent === pid);
    return children.reduce((sum, [child]) => sum + timeOf(child), all.get(pid)?.ms ?? 0);
  };
  const parts = [...services, nats, redis, postgres, mail, payments, { name: "customers", pid: customers }];
  return new Map(parts.map(({ name, pid }) => [name, pid === undefined ? 0 : timeOf(pid)]));
}

/** Milliseconds of CPU time that each of the orders cost, by process. */
export function costOf(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  orders: number,
): Map<string, number> {
  return new Map([...after].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / orders]));
}

function readAll(): ReadonlyMap<number, { readonly parent: number; readonly ms: number }> {
  const all = new Map<number, { parent: number; ms: number }>();
  for (const entry of list("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${entry}/stat`);
    // The second field is a name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime, stime, and both of the children that have ended.
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    if (stat !== "") all.set(Number(entry), { parent: Number(fields[1]), ms: ticks * tickMs });
  }
  return all;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
