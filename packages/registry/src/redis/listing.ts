import type { Instance } from "../registry.ts";
import { createRecordDecoder } from "./record.ts";

/** What Redis has of one service, as of the last read. */
export interface Snapshot {
  readonly version: string;
  /** Sorted by instance id; without those whose lease expired. */
  readonly instances: readonly Instance[];
  /** Who of them has missed two heartbeats. */
  readonly late: ReadonlySet<string>;
  /** Who withdrew since the read before. */
  readonly released: ReadonlySet<string>;
}

/** Follows one service from read to read: each answer may tell only what changed since the one before. */
export interface Listing {
  /** What readScript is to be told. */
  readonly known: readonly [version: string, mark: string];
  /** Takes its reply. Undefined when things look as before. */
  take(reply: unknown): Snapshot | undefined;
  /** Takes a hint, if it tells what follows what is known: who hears it need not read. "read" when it doesn't, "known" when it is old. */
  hear(hint: string): Snapshot | "read" | "known";
}

/** No version, so that the first answer is a whole one. */
const nothing = "-";

/** `mostInstances` bounds what is kept, whatever Redis may hold. */
export function createListing(service: string, mostInstances: number): Listing {
  const records = createRecordDecoder();
  const entries = new Map<string, Instance>();
  /** Sorted. */
  let ids: string[] = [];
  let known: readonly [string, string] = [nothing, ""];
  let gone = new Set<string>();
  let late = new Set<string>();

  function snapshot(released: ReadonlySet<string>): Snapshot {
    const instances: Instance[] = [];
    for (const id of ids) if (!gone.has(id)) instances.push(entries.get(id) as Instance);
    return { version: known[0], instances, late: new Set(late), released };
  }

  function put(text: string): void {
    const space = text.indexOf(" ");
    const id = space < 0 ? text : text.slice(0, space);
    const instance = space < 0 ? undefined : records.decode(service, id, text.slice(space + 1));
    const at = indexIn(ids, id);
    const isThere = ids[at] === id;
    if (instance === undefined) {
      if (!isThere) return;
      ids.splice(at, 1);
      entries.delete(id);
      return;
    }
    if (!isThere) {
      if (ids.length >= mostInstances) return;
      ids.splice(at, 0, id);
    }
    entries.set(id, instance);
  }

  /** `held` has who of them has a lease; absent when all have. */
  function putAll(texts: readonly string[], held: ReadonlySet<string> | undefined): void {
    entries.clear();
    for (const text of texts) {
      const id = text.slice(0, Math.max(0, text.indexOf(" ")));
      const instance = records.decode(service, id, text.slice(id.length + 1));
      const isListed = instance !== undefined && (held === undefined || held.has(id));
      if (isListed && entries.size < mostInstances) entries.set(id, instance);
    }
    ids = [...entries.keys()].sort();
  }

  return {
    get known() {
      return known;
    },
    take(reply) {
      const [version, mark, kind, expired, overdue, released, lines, held] = reply as readonly string[];
      if (version === undefined || mark === undefined) throw new Error("the registry's script answered something else");
      known = [version, mark];
      if (kind === undefined) return undefined;
      const texts = split(lines, "\n");
      if (kind === "all") putAll(texts, held === "*" ? undefined : new Set(split(held, " ")));
      else for (const text of texts) put(text);
      gone = new Set(split(expired, " "));
      late = new Set(split(overdue, " "));
      return snapshot(new Set(split(released, " ")));
    },
    hear(hint) {
      const [version = "", ...changes] = hint.split("\n");
      const [born, count] = version.split(".");
      const [knownBorn, knownCount] = known[0].split(".");
      if (born !== knownBorn) return "read";
      if (Number(count) <= Number(knownCount)) return "known";
      if (changes.length === 0 || Number(count) !== Number(knownCount) + 1) return "read";
      const released = new Set<string>();
      for (const change of changes) {
        const text = change.slice(1);
        const [id = ""] = text.split(" ", 1);
        if (change.startsWith("-")) released.add(id);
        // It was just written, whatever the last read said of it.
        gone.delete(id);
        late.delete(id);
        put(text);
      }
      known = [version, known[1]];
      return snapshot(released);
    },
  };
}

/** The instances as clients see them. */
export function asSeen({ instances, late }: Snapshot): readonly Instance[] {
  if (late.size === 0) return instances;
  return instances.map((instance) => (late.has(instance.instance) ? { ...instance, state: "DOWN" } : instance));
}

function split(text: string | undefined, separator: string): readonly string[] {
  return text === undefined || text === "" ? [] : text.split(separator);
}

/** Where the id is, or would be. */
function indexIn(sorted: readonly string[], id: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
