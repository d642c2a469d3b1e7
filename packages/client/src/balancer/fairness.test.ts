import { describe, expect, it } from "vitest";
import { createLeastRequest } from "./least-request.ts";
import { subset } from "./subset.ts";
import { candidates } from "./testing/candidate.ts";
import { everyBalancer } from "./testing/every-balancer.ts";
import { between, counts, maxToMean, p99, shareOf } from "./testing/figures.ts";
import { fiveWith, healthy, run } from "./testing/fleets.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import type { SimulatedEndpoint, SimulatedServer } from "./testing/simulation.ts";

const fleet = (count: number, what: Partial<SimulatedServer> = {}): readonly SimulatedServer[] =>
  Array.from({ length: count }, (_, i) => ({ id: `s${i}`, work: healthy, ...what }));

describe("an even fleet", () => {
  it.each([
    ["round robin", 1.01],
    ["weighted round robin", 1.01],
    ["least request", 1.05],
    ["peak EWMA", 1.15],
    ["consistent hash", 1.2],
  ])("%s: the busiest of five has at most %f times the mean", (balancer, most) => {
    expect(maxToMean(run(balancer, fleet(5), { forMs: 60_000 }), 5)).toBeLessThan(most);
  });

  it.each(["round robin", "least request", "peak EWMA"])(
    "%s: stays even with many clients and many servers",
    (balancer) => {
      const calls = run(balancer, fleet(40), { clients: 25, callsPerSecond: 4_000, forMs: 20_000 });
      expect(maxToMean(calls, 40)).toBeLessThan(1.25);
      expect(counts(calls).size).toBe(40);
    },
  );

  it("peak EWMA: no line grows where round robin's does, near the fleet's capacity", () => {
    const servers = fleet(5, { workers: 1 });
    const load = { callsPerSecond: 850, clients: 3 };
    expect(p99(run("peak EWMA", servers, load))).toBeLessThan(0.8 * p99(run("round robin", servers, load)));
  });

  it.each(["least request", "peak EWMA"])("%s: a burst before anything is known is spread evenly", (balancer) => {
    const list = candidates(5);
    const create = everyBalancer[balancer];
    const picker = create?.({ clock: { now: () => 0 }, random: seededRandom(1) });
    picker?.update(list);
    for (let i = 0; i < 500; i++) picker?.pick(() => true)?.load.begin(0);
    for (const { load } of list) expect(Math.abs(load.inFlight - 100)).toBeLessThan(8);
  });
});

describe("what is the same of all", () => {
  it("peak EWMA: failures don't crowd the calls on few", () => {
    const work: SimulatedServer["work"] = (now, random) =>
      random() < 0.2 ? { takesMs: 0.1, outcome: "failure", isRefusal: true } : healthy(now, random);
    expect(maxToMean(run("peak EWMA", fleet(5, { work }), { forMs: 60_000 }), 5)).toBeLessThan(1.2);
  });

  it.each([0.001, 0.01, 0.1])("peak EWMA: nor do the slow calls of a method that is slow, %f of all", (part) => {
    const work: SimulatedServer["work"] = (now, random) => (random() < part ? { takesMs: 300 } : healthy(now, random));
    const servers = fleet(5, { work, workers: 100 });
    expect(maxToMean(run("peak EWMA", servers, { forMs: 120_000 }), 5)).toBeLessThan(1.3);
  });
});

describe("weights of 1 : 2 : 4", () => {
  const servers = [1, 2, 4].map((weight) => ({ id: `w${weight}`, weight, workers: 4 * weight, work: healthy }));

  it("weighted round robin: are the shares", () => {
    const calls = run("weighted round robin", servers);
    for (const weight of [1, 2, 4]) expect(shareOf(calls, `w${weight}`)).toBeCloseTo(weight / 7, 2);
  });

  it.each(["least request", "peak EWMA"])("%s: are nearly the shares under load", (balancer) => {
    const calls = run(balancer, servers, { callsPerSecond: 4_000, forMs: 20_000 });
    for (const weight of [1, 2, 4]) expect(Math.abs(shareOf(calls, `w${weight}`) - weight / 7)).toBeLessThan(0.07);
  });
});

describe("a new endpoint", () => {
  const joining = fiveWith({ joinsAt: 10_000 });

  it.each(["round robin", "weighted round robin", "least request", "peak EWMA"])(
    "%s: is not flooded, and has its share after the window",
    (balancer) => {
      const calls = run(balancer, joining, { forMs: 60_000 });
      expect(shareOf(between(calls, 10_000, 12_000), "odd")).toBeLessThan(0.07);
      const [early, late] = [between(calls, 10_000, 15_000), between(calls, 15_000, 20_000)];
      expect(shareOf(early, "odd")).toBeLessThan(shareOf(late, "odd"));
      expect(Math.abs(shareOf(between(calls, 25_000, 60_000), "odd") - 0.2)).toBeLessThan(0.05);
    },
  );

  it("peak EWMA: is not shunned for its first calls, which open connections and find code cold", () => {
    let seen = 0;
    const cold: SimulatedServer["work"] = (now, random) => {
      seen += 1;
      return { takesMs: healthy(now, random).takesMs + (seen <= 2 ? 200 : 0) };
    };
    const calls = run("peak EWMA", fiveWith({ joinsAt: 10_000, work: cold }), { forMs: 40_000 });
    expect(shareOf(between(calls, 20_000, 40_000), "odd")).toBeGreaterThan(0.12);
  });

  it("takes its share at once at the start, when all are new", () => {
    const calls = run("round robin", fleet(5), { forMs: 1_000 });
    expect(maxToMean(calls, 5)).toBeLessThan(1.05);
  });

  it("is one of all that are new after the whole fleet was replaced, and they share evenly", () => {
    const servers = [...fleet(3, { leavesAt: 10_000 }), ...fleet(3, { joinsAt: 10_000 })].map((server, i) => ({
      ...server,
      id: `s${i}`,
    }));
    for (const balancer of ["round robin", "least request", "peak EWMA"]) {
      const calls = run(balancer, servers);
      expect(counts(between(calls, 10_000, 30_000)).size).toBe(3);
      expect(maxToMean(between(calls, 10_000, 30_000), 3)).toBeLessThan(1.25);
    }
  });
});

describe("zones", () => {
  const zoned = (outIn: string, count: number): readonly SimulatedServer[] =>
    ["a", "b", "c"].flatMap((zone) =>
      Array.from({ length: 4 }, (_, i) => ({
        id: `${zone}${i}`,
        zone,
        work: healthy,
        admits: (now: number) => now < 10_000 || zone !== outIn || i >= count,
      })),
    );
  const localShare = (servers: readonly SimulatedServer[], from: number): number => {
    const calls = between(run("zone preference", servers), from, 30_000);
    return calls.filter(({ server }) => server.startsWith("a")).length / calls.length;
  };

  it("keep their calls, but for few, when nothing is wrong", () => {
    expect(localShare(zoned("none", 0), 0)).toBeGreaterThan(0.97);
  });

  it("spill what the rest of a zone can't carry in a partial outage", () => {
    // A quarter of it is there, times 1.4.
    expect(localShare(zoned("a", 3), 10_000)).toBeCloseTo(0.33, 1);
    expect(localShare(zoned("a", 1), 10_000)).toBeGreaterThan(0.96);
  });

  it("don't care for an outage elsewhere", () => {
    expect(localShare(zoned("b", 4), 10_000)).toBeGreaterThan(0.97);
  });

  it("are relieved when they are too small for their callers: no line grows without end", () => {
    const servers = zoned("none", 0).map((server) => ({ ...server, workers: 1 }));
    // The zone can take 800 calls a second.
    const calls = run("zone preference", servers, { callsPerSecond: 1_200, clients: 3 });
    expect(p99(between(calls, 20_000, 30_000))).toBeLessThan(120);
  });
});

describe("a large fleet", () => {
  it("stays even when each client uses a subset of it", () => {
    const calls = run("least request", fleet(100), {
      clients: 200,
      callsPerSecond: 5_000,
      forMs: 10_000,
      balancer(parts) {
        const within = createLeastRequest<SimulatedEndpoint>(parts);
        const client = String(parts.random());
        return { ...within, update: (list) => within.update(subset(list, 20, client)) };
      },
    });
    expect(maxToMean(calls, 100)).toBeLessThan(1.5);
  });
});
