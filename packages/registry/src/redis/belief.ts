import type { Instance } from "../registry.ts";
import { asSeen, type Snapshot } from "./listing.ts";

/**
 * What a watcher takes for true. A release is believed at once: Redis says who withdrew, so deploys and scale-downs are not held up.
 * Whoever is late or gone without a release may only be cut off from Redis, and is taken for what it was before
 * - for one removal interval after an interruption, or after Redis lost data: no lease could be renewed meanwhile;
 * - for one removal interval, where more than half of those that were there go within one: that many processes seldom die at once, and
 *   where they did, the rest could hardly carry their calls;
 * - for as long as somebody says that it still answers. Not bounded: as long as it answers nothing is won by forgetting it. It ends
 *   when another instance is listed at its address, since that is who answers there then.
 * Newcomers are believed at once, always.
 */
export interface Belief {
  /** Redis could not be reached: what the next snapshots lack may only be late. */
  interrupted(): void;
  /** Takes the list that an earlier process believed while Redis can't be reached: the first snapshot comes after an interruption then. */
  remember(list: readonly Instance[]): void;
  /** Takes a snapshot, or undefined when things look as before. Returns the list if it is the first or differs from the last. */
  observe(snapshot: Snapshot | undefined): readonly Instance[] | undefined;
}

export interface BeliefOptions {
  readonly removalMs: number;
  readonly clock: { now(): number };
  readonly stillAnswers: (instance: Instance) => boolean;
}

/** Late or gone, without a release. */
interface Missing {
  /** As it was before. */
  readonly instance: Instance;
  readonly since: number;
  /** It went with more than half of them: for its time it is kept, also when most of the others are back. */
  doubted: boolean;
}

export function createBelief({ removalMs, clock, stillAnswers }: BeliefOptions): Belief {
  const missing = new Map<string, Missing>();
  let latest: Snapshot | undefined;
  let believed: readonly Instance[] | undefined;
  let interrupted = false;
  let doubtUntil = Number.NEGATIVE_INFINITY;

  function findMissing(snapshot: Snapshot): void {
    const present = new Map(snapshot.instances.map((instance) => [instance.instance, instance]));
    for (const [id, { instance }] of missing) {
      const found = present.get(id);
      const isBack = found !== undefined && (!snapshot.late.has(id) || found.epoch !== instance.epoch);
      if (isBack || snapshot.released.has(id)) missing.delete(id);
    }
    const since = clock.now();
    for (const instance of believed ?? []) {
      const id = instance.instance;
      const isAway = !present.has(id) || snapshot.late.has(id);
      if (isAway && !snapshot.released.has(id) && !missing.has(id))
        missing.set(id, { instance, since, doubted: false });
    }
    for (const id of snapshot.late) {
      const instance = present.get(id);
      // Late when it was first seen: nobody knows of it as anything else.
      if (instance !== undefined && !missing.has(id))
        missing.set(id, { instance, since: Number.NEGATIVE_INFINITY, doubted: false });
    }
  }

  function judge(snapshot: Snapshot): readonly Instance[] {
    if (missing.size === 0) return snapshot.instances;
    const now = clock.now();
    const isRecent = ({ since }: Missing) => now - since < removalMs;
    const lost = [...missing.values()].filter(isRecent);
    const healthy = snapshot.instances.length - snapshot.late.size;
    if (2 * lost.length > healthy + lost.length) for (const one of lost) one.doubted = true;
    const addresses = new Set<string>();
    for (const one of snapshot.instances) if (!snapshot.late.has(one.instance)) addresses.add(addressOf(one));
    const list = new Map(asSeen(snapshot).map((instance) => [instance.instance, instance]));
    for (const [id, one] of missing) {
      const isKept =
        now < doubtUntil ||
        (one.doubted && isRecent(one)) ||
        (!addresses.has(addressOf(one.instance)) && stillAnswers(one.instance));
      if (isKept) list.set(id, one.instance);
      else if (!list.has(id) && !isRecent(one)) missing.delete(id);
    }
    return [...list.values()].sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  return {
    interrupted() {
      interrupted = true;
    },
    remember(list) {
      believed = list;
      interrupted = true;
    },
    observe(snapshot) {
      const lost = latest !== undefined && snapshot !== undefined && isRollback(latest.version, snapshot.version);
      if ((interrupted && believed !== undefined) || lost) doubtUntil = clock.now() + removalMs;
      interrupted = false;
      if (snapshot !== undefined) findMissing(snapshot);
      else if (missing.size === 0) return undefined;
      latest = snapshot ?? latest;
      if (latest === undefined) return undefined;
      const isFirst = believed === undefined;
      const list = judge(latest);
      if (!isFirst && isSame(believed ?? [], list)) return undefined;
      believed = list;
      return list;
    },
  };
}

function addressOf({ host, port }: Instance): string {
  return `${host} ${port}`;
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
      return (
        one === other || (one.instance === other?.instance && one.epoch === other.epoch && one.state === other.state)
      );
    })
  );
}
