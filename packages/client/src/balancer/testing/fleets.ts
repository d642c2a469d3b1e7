import { everyBalancer } from "./every-balancer.ts";
import { exponential } from "./seeded-random.ts";
import { type SimulatedCall, type SimulatedServer, type Simulation, simulate, type Work } from "./simulation.ts";

/** Takes 5 ms on the mean, exponentially distributed. */
export function healthy(_now: number, random: () => number): Work {
  return { takesMs: exponential(5, random) };
}

/** Four healthy servers and one that is not, or not yet: `odd`. */
export function fiveWith(odd: Partial<SimulatedServer>): readonly SimulatedServer[] {
  const others = ["s1", "s2", "s3", "s4"].map((id) => ({ id, work: healthy }));
  return [...others, { id: "odd", work: healthy, ...odd }];
}

/** 300 calls a second, from one client with that balancer unless it is said otherwise. */
export function run(
  balancer: string,
  servers: readonly SimulatedServer[],
  more: Partial<Simulation> = {},
): readonly SimulatedCall[] {
  const create = everyBalancer[balancer];
  if (create === undefined) throw new Error(`there is no balancer ${balancer}`);
  return simulate({ servers, balancer: create, callsPerSecond: 300, forMs: 30_000, seed: 1, ...more });
}
