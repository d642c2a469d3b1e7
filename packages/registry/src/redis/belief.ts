import type { Instance } from "../registry.ts";
import { asSeen, type Snapshot } from "./record.ts";

/**
 * What a watcher takes for true. While Redis is away, instances can't renew their leases, and a Redis that comes back may have
 * expired or forgotten them all; they are back within a heartbeat. So after an interruption, or when the data was lost, nobody is
 * taken for gone or late until one removal interval has passed; newcomers are believed at once.
 */
export interface Belief {
  /** Redis could not be reached: what the next snapshots lack may only be late. */
  interrupted(): void;
  /** Takes a snapshot, or undefined when things look as before. Returns the list if it is the first or differs from the last. */
  observe(snapshot: Snapshot | undefined): readonly Instance[] | undefined;
}

export interface BeliefOptions {
  readonly removalMs: number;
  readonly clock: { now(): number };
}

export function createBelief({ removalMs, clock }: BeliefOptions): Belief {
  let latest: Snapshot | undefined;
  let believed: readonly Instance[] | undefined;
  let interrupted = false;
  let doubtUntil = Number.NEGATIVE_INFINITY;

  function judge(snapshot: Snapshot): readonly Instance[] {
    if (clock.now() >= doubtUntil) return snapshot.listed.map(asSeen);
    const list = new Map(believed?.map((instance) => [instance.instance, instance]));
    for (const { instance } of snapshot.listed) list.set(instance.instance, instance);
    return [...list.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  return {
    interrupted() {
      interrupted = true;
    },
    observe(snapshot) {
      const lost = latest !== undefined && snapshot !== undefined && isRollback(latest.version, snapshot.version);
      if ((interrupted && latest !== undefined) || lost) doubtUntil = clock.now() + removalMs;
      interrupted = false;
      latest = snapshot ?? latest;
      if (latest === undefined) return undefined;
      const list = judge(latest);
      if (believed !== undefined && isSame(believed, list)) return undefined;
      believed = list;
      return list;
    },
  };
}

/** Whether Redis lost writes between the two versions: another birth, or a lower count. */
function isRollback(before: string, after: string): boolean {
  if (before === "") return false;
  const [bornBefore, countBefore] = before.split(".");
  const [bornAfter, countAfter] = after.split(".");
  return bornBefore !== bornAfter || Number(countAfter) < Number(countBefore);
}

/** Load aside. Everything else about an instance is fixed by its epoch. */
function isSame(a: readonly Instance[], b: readonly Instance[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i];
      return one.instance === other?.instance && one.epoch === other.epoch && one.state === other.state;
    })
  );
}
