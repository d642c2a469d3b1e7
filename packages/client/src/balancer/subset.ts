import type { Candidate } from "./contract.ts";
import { hash } from "./hash.ts";

/**
 * The part of a large fleet that one client uses (gRFC A68's random subsetting), so that connections don't grow as clients × endpoints:
 * the `size` endpoints that rank first for this client, by rendezvous hashing. Every endpoint is in as many subsets as any other,
 * in expectation, and one that joins or leaves changes one member of a subset at most. `client` is to differ in each process.
 */
export function subset<C extends Pick<Candidate, "id">>(
  candidates: readonly C[],
  size: number,
  client: string,
): readonly C[] {
  if (candidates.length <= size) return candidates;
  const seed = hash(client);
  return candidates
    .map((candidate) => ({ candidate, rank: hash(candidate.id, seed) }))
    .sort((a, b) => a.rank - b.rank || (a.candidate.id < b.candidate.id ? -1 : 1))
    .slice(0, size)
    .map(({ candidate }) => candidate);
}
