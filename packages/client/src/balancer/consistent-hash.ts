import type { Admits, Balancer, Candidate, Score } from "./contract.ts";
import { hash } from "./hash.ts";

export interface ConsistentHashOptions {
  readonly random?: () => number;
  /** Points of an endpoint of mean weight: the more, the evener; default 160, which keeps shares within some 8 % of even. */
  readonly points?: number;
}

/**
 * The same key goes to the same endpoint, in every process that has the same list (gRFC A42's ring): each endpoint has points on a
 * ring of hashes, and a key belongs to the next point. Who joins takes keys from all, who leaves gives them to all, and no other key
 * moves. Where the owner doesn't admit, the next on the ring does, always the same one. It is a ring and not maglev's table because
 * of these two: a table moves other keys too, and has no next. O(log n). A call without a key goes anywhere, by weight.
 * There is no slow start: a key's owner can't be a little. Scores are shares of the ring.
 */
export function createConsistentHash<C extends Candidate>({
  random = Math.random,
  points = 160,
}: ConsistentHashOptions = {}): Balancer<C> {
  let ring = ringOf<C>([], points);
  return {
    update(candidates) {
      ring = ringOf(candidates, points);
    },
    pick(admits, key) {
      return ring.from(key === undefined ? random() * 2 ** 32 : hash(key), admits);
    },
    scores: () => ring.scores(),
  };
}

/** More owners than this, or more than 2³² hashes, would not fit together into a number. */
const mostOwners = 2 ** 20;

function ringOf<C extends Candidate>(candidates: readonly C[], pointsEach: number) {
  // By id, so that two points of one hash are in the same order in every process.
  const owners = candidates.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const meanWeight = owners.reduce((sum, { weight }) => sum + weight, 0) / owners.length;
  const points: number[] = [];
  owners.forEach(({ id, weight }, owner) => {
    const count = Math.max(1, Math.round((pointsEach * weight) / meanWeight));
    for (let i = 0; i < count; i++) points.push(hash(id, i) * mostOwners + owner);
  });
  const sorted = Float64Array.from(points).sort();
  const hashes = Uint32Array.from(sorted, (point) => Math.floor(point / mostOwners));
  const ownerAt = Uint32Array.from(sorted, (point) => point % mostOwners);
  /** In which walk an owner was asked last, so that a walk asks nobody twice and allocates nothing. */
  const asked = new Uint32Array(owners.length);
  let walk = 0;

  const firstFrom = (position: number): number => {
    let [low, high] = [0, hashes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((hashes[middle] ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const measure = (): readonly Score<C>[] => {
    const shares = new Float64Array(owners.length);
    hashes.forEach((point, i) => {
      const before = i === 0 ? (hashes[hashes.length - 1] ?? 0) - 2 ** 32 : (hashes[i - 1] ?? 0);
      shares[ownerAt[i] ?? 0] = (shares[ownerAt[i] ?? 0] ?? 0) + (point - before) / 2 ** 32;
    });
    return owners.map((candidate, index) => ({ candidate, score: shares[index] ?? 0 }));
  };
  let scores: readonly Score<C>[] | undefined;

  return {
    from(position: number, admits: Admits<C>): C | undefined {
      walk = (walk + 1) >>> 0;
      let left = owners.length;
      for (let i = firstFrom(position); left > 0; i++) {
        const index = ownerAt[i % ownerAt.length] ?? 0;
        if (asked[index] === walk) continue;
        asked[index] = walk;
        left -= 1;
        const owner = owners[index];
        if (owner !== undefined && admits(owner)) return owner;
      }
      return undefined;
    },
    /** The share of the ring that each has, measured once. */
    scores(): readonly Score<C>[] {
      scores ??= measure();
      return scores;
    },
  };
}
