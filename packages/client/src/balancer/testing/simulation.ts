import type { Clock } from "@weft/context";
import type { Balancer, Candidate } from "../contract.ts";
import { EndpointLoad, type Outcome } from "../endpoint-load.ts";
import { exponential, seededRandom } from "./seeded-random.ts";
import { createTimeline } from "./timeline.ts";

/** What a server does with a call that arrives at `now`, in milliseconds since the simulation began. */
export interface Work {
  readonly takesMs: number;
  readonly outcome?: Outcome;
  /** Answered at once, without waiting for a worker: a refusal. */
  readonly isRefusal?: boolean;
}

export interface SimulatedServer {
  readonly id: string;
  readonly weight?: number;
  readonly zone?: string;
  readonly joinsAt?: number;
  readonly leavesAt?: number;
  /** How many calls it works on at once; others wait in line. Default 16. */
  readonly workers?: number;
  work(now: number, random: () => number): Work;
  /** Whether clients' circuits let a call through to it; default always. */
  admits?(now: number): boolean;
}

export interface SimulatedCall {
  readonly server: string;
  readonly client: number;
  readonly key: string | undefined;
  readonly startedAt: number;
  readonly elapsedMs: number;
  readonly outcome: Outcome;
}

export interface Simulation {
  readonly servers: readonly SimulatedServer[];
  readonly clients?: number;
  /** Of all clients together; calls arrive at random (Poisson). */
  readonly callsPerSecond: number;
  readonly forMs: number;
  readonly seed: number;
  /** One way; default 0.2. */
  readonly networkMs?: number;
  /** When callers give up; default never. */
  readonly patienceMs?: number;
  readonly key?: (random: () => number) => string;
  balancer(parts: { readonly clock: Clock; readonly random: () => number }): Balancer<SimulatedEndpoint>;
}

export interface SimulatedEndpoint extends Candidate {
  readonly server: Server;
}

/** Clients and servers in fake time, calls in an open loop. Returns every call that ended, in the order in which they began. */
export function simulate(simulation: Simulation): readonly SimulatedCall[] {
  const { clients = 1, callsPerSecond, forMs, seed, networkMs = 0.2, patienceMs } = simulation;
  const timeline = createTimeline();
  const random = seededRandom(seed);
  const calls: SimulatedCall[] = [];
  const servers = simulation.servers.map((server) => new Server(server));
  const isThere = ({ is }: Server): boolean =>
    (is.joinsAt ?? 0) <= timeline.now() && timeline.now() < (is.leavesAt ?? Number.POSITIVE_INFINITY);
  const admits = ({ server }: SimulatedEndpoint): boolean => server.is.admits?.(timeline.now()) ?? true;

  const startClient = (client: number): void => {
    const balancer = simulation.balancer({ clock: timeline, random });
    const known = new Map<Server, SimulatedEndpoint>();
    const refresh = (): void => {
      balancer.update(
        servers.filter(isThere).map((server) => {
          const endpoint = known.get(server) ?? endpointOf(server, timeline.now());
          known.set(server, endpoint);
          return endpoint;
        }),
      );
    };
    const changes = servers.flatMap(({ is }) => [is.joinsAt ?? 0, is.leavesAt ?? 0]);
    for (const time of new Set([0, ...changes])) timeline.at(time, refresh);

    const call = (): void => {
      const key = simulation.key?.(random);
      const endpoint = balancer.pick(admits, key);
      if (endpoint === undefined) return;
      const { load, server } = endpoint;
      const startedAt = timeline.now();
      let isOver = false;
      const end = (outcome: Outcome): void => {
        if (isOver) return;
        isOver = true;
        const elapsedMs = timeline.now() - startedAt;
        load.end(startedAt, timeline.now(), outcome);
        calls.push({ server: server.is.id, client, key, startedAt, elapsedMs, outcome });
      };
      load.begin(startedAt);
      if (patienceMs !== undefined) timeline.at(startedAt + patienceMs, () => end("cancelled"));
      const answer = ({ outcome = "success" }: Work): void =>
        timeline.at(timeline.now() + networkMs, () => end(outcome));
      timeline.at(startedAt + networkMs, () => server.take(timeline.now(), random, timeline.at, answer));
    };
    const next = (time: number): void => {
      if (time >= forMs) return;
      timeline.at(time, () => {
        call();
        next(time + exponential((1_000 * clients) / callsPerSecond, random));
      });
    };
    next(exponential((1_000 * clients) / callsPerSecond, random));
  };

  for (let client = 0; client < clients; client++) startClient(client);
  timeline.run();
  return calls.sort((a, b) => a.startedAt - b.startedAt);
}

/** So many workers with one line before them. */
class Server {
  readonly is: SimulatedServer;
  readonly #freeAt: number[];

  constructor(is: SimulatedServer) {
    this.is = is;
    this.#freeAt = Array.from({ length: is.workers ?? 16 }, () => 0);
  }

  take(
    now: number,
    random: () => number,
    at: (time: number, event: () => void) => void,
    answer: (work: Work) => void,
  ): void {
    const work = this.is.work(now, random);
    if (work.isRefusal) {
      at(now + work.takesMs, () => answer(work));
      return;
    }
    const worker = this.#freeAt.indexOf(Math.min(...this.#freeAt));
    const begins = Math.max(now, this.#freeAt[worker] ?? 0);
    this.#freeAt[worker] = begins + work.takesMs;
    at(begins + work.takesMs, () => answer(work));
  }
}

function endpointOf(server: Server, now: number): SimulatedEndpoint {
  const { id, weight = 1, zone } = server.is;
  return { id, weight, zone, since: now, load: new EndpointLoad(), server };
}
