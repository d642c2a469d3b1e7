import type { Candidate } from "../contract.ts";
import { EndpointLoad } from "../endpoint-load.ts";

/** One that was there from the beginning, and has no call. */
export function candidate(id: string, what: Partial<Candidate> = {}): Candidate {
  return { id, weight: 1, zone: undefined, since: 0, load: new EndpointLoad(), ...what };
}

/** So many of them, `e0` and on. */
export function candidates(count: number, what: Partial<Candidate> = {}): readonly Candidate[] {
  return Array.from({ length: count }, (_, i) => candidate(`e${i}`, { ...what, load: new EndpointLoad() }));
}

/** Makes its latency known: three answers that took so long, the last at `now`. */
export function measure({ load }: Pick<Candidate, "load">, latencyMs: number, now: number): void {
  for (let i = 0; i < 3; i++) {
    load.begin(now - latencyMs);
    load.end(now - latencyMs, now, "success");
  }
}
