import { describe, expect, it } from "vitest";
import { createPeakEwma } from "./peak-ewma.ts";
import { candidates, measure } from "./testing/candidate.ts";
import { between, p99, shareOf } from "./testing/figures.ts";
import { fiveWith, healthy, run } from "./testing/fleets.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import type { SimulatedServer, Work } from "./testing/simulation.ts";

const slow: Partial<SimulatedServer> = {
  work: (now, random) => ({ takesMs: 500 + healthy(now, random).takesMs }),
  workers: 1_000,
};
const refuses = (): Work => ({ takesMs: 0.1, outcome: "failure", isRefusal: true });
const fails = (): Work => ({ takesMs: 5, outcome: "failure" });
const hangs = (): Work => ({ takesMs: 3_600_000 });

/** Of a fault that begins or ends in the middle. */
function until(time: number, first: SimulatedServer["work"], then: SimulatedServer["work"]): SimulatedServer["work"] {
  return (now, random) => (now < time ? first(now, random) : then(now, random));
}

const loads = [
  { clients: 1, callsPerSecond: 50, seed: 1 },
  { clients: 1, callsPerSecond: 300, seed: 2 },
  { clients: 4, callsPerSecond: 300, seed: 3 },
  { clients: 1, callsPerSecond: 3_000, seed: 4 },
];

describe.each(loads)("peak EWMA, $clients client(s), $callsPerSecond calls a second", (load) => {
  it("gives one that takes 500 ms longer nearly nothing after 5 s, and the calls' p99 stays what it is without", () => {
    const calls = between(run("peak EWMA", fiveWith(slow), load), 5_000, 30_000);
    expect(shareOf(calls, "odd")).toBeLessThan(0.01);
    expect(p99(calls)).toBeLessThan(1.5 * p99(run("peak EWMA", fiveWith({}), load)));
  });

  it("leaves one that becomes slow within a second", () => {
    const servers = fiveWith({ work: until(10_000, healthy, slow.work ?? healthy), workers: 1_000 });
    const calls = run("peak EWMA", servers, load);
    expect(shareOf(between(calls, 0, 10_000), "odd")).toBeGreaterThan(0.1);
    expect(shareOf(between(calls, 11_000, 30_000), "odd")).toBeLessThan(0.02);
  });

  it("comes back to one that was slow, within a minute", () => {
    const servers = fiveWith({ work: until(10_000, slow.work ?? healthy, healthy), workers: 1_000 });
    const calls = run("peak EWMA", servers, { ...load, forMs: 90_000 });
    expect(shareOf(between(calls, 0, 10_000), "odd")).toBeLessThan(0.1);
    expect(shareOf(between(calls, 70_000, 90_000), "odd")).toBeGreaterThan(0.13);
  });

  it.each([
    ["refuses at once (RESOURCE_EXHAUSTED)", refuses],
    ["fails as quickly as the others answer", fails],
  ])("attracts nothing to one that %s", (_, work) => {
    const calls = run("peak EWMA", fiveWith({ work }), load);
    expect(shareOf(calls, "odd")).toBeLessThan(0.04);
    expect(shareOf(between(calls, 5_000, 30_000), "odd")).toBeLessThan(0.025);
  });

  it("comes back to one that failed, within twenty seconds", () => {
    const calls = run("peak EWMA", fiveWith({ work: until(10_000, refuses, healthy) }), { ...load, forMs: 60_000 });
    expect(shareOf(between(calls, 0, 10_000), "odd")).toBeLessThan(0.05);
    expect(shareOf(between(calls, 30_000, 60_000), "odd")).toBeGreaterThan(0.1);
  });

  it("doesn't leave one for a failure now and then", () => {
    const sometimes: SimulatedServer["work"] = (now, random) =>
      random() < 0.01 ? { takesMs: 0.1, outcome: "failure", isRefusal: true } : healthy(now, random);
    expect(shareOf(run("peak EWMA", fiveWith({ work: sometimes }), load), "odd")).toBeGreaterThan(0.13);
  });

  it("leaves one that hangs, though each of its callers leaves after a second", () => {
    const servers = fiveWith({ work: hangs, workers: 100_000 });
    const calls = run("peak EWMA", servers, { ...load, patienceMs: 1_000 });
    expect(shareOf(between(calls, 1_000, 30_000), "odd")).toBeLessThan(0.01);
  });
});

it("peak EWMA: a burst after a pause isn't drawn to the one that was slow and has had no call since", () => {
  const list = candidates(5);
  for (const each of list) measure(each, 10, 0);
  const [slow, ...others] = list;
  if (slow === undefined) return;
  measure(slow, 10, 0);
  slow.load.begin(0);
  slow.load.end(0, 500, "success");
  for (const each of others) measure(each, 10, 600_000);
  const balancer = createPeakEwma({ clock: { now: () => 600_000 }, random: seededRandom(1) });
  balancer.update(list);
  for (let i = 0; i < 500; i++) balancer.pick(() => true)?.load.begin(600_000);
  expect(slow.load.inFlight).toBeLessThan(110);
});

describe("the other balancers", () => {
  it("least request leaves a slow one nearly alone, but what fails fast attracts it", () => {
    expect(shareOf(run("least request", fiveWith(slow)), "odd")).toBeLessThan(0.05);
    expect(shareOf(run("least request", fiveWith({ work: refuses })), "odd")).toBeGreaterThan(0.22);
  });

  it.each(["round robin", "weighted round robin", "consistent hash"])("%s knows nothing of speed", (balancer) => {
    const share = shareOf(run(balancer, fiveWith(slow)), "odd");
    expect(share).toBeGreaterThan(0.15);
    expect(share).toBeLessThan(0.25);
  });

  it.each(["round robin", "weighted round robin", "least request", "peak EWMA"])(
    "%s gives what a closed circuit would have had to the others evenly",
    (balancer) => {
      const servers = fiveWith({ admits: (now) => now < 10_000 || now > 20_000 });
      const out = between(run(balancer, servers), 10_000, 20_000);
      expect(shareOf(out, "odd")).toBe(0);
      for (const id of ["s1", "s2", "s3", "s4"]) expect(Math.abs(shareOf(out, id) - 0.25)).toBeLessThan(0.06);
    },
  );
});
