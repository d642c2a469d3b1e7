import { describe, expect, it } from "vitest";
import type { Candidate } from "./contract.ts";
import { createPeakEwma } from "./peak-ewma.ts";
import { candidate, measure } from "./testing/candidate.ts";
import { seededRandom } from "./testing/seeded-random.ts";
import { preferZone } from "./zone-preference.ts";

const clock = { now: () => 0 };

function zones(local: number, remote: number) {
  const list = [
    ...Array.from({ length: local }, (_, i) => candidate(`near-${i}`, { zone: "near" })),
    ...Array.from({ length: remote }, (_, i) => candidate(`far-${i}`, { zone: "far" })),
  ];
  const random = seededRandom(1);
  const balancer = preferZone({ zone: "near", clock, random, within: () => createPeakEwma({ clock, random }) });
  balancer.update(list);
  const localShare = (admits = (_: Candidate) => true, picks = 4_000): number => {
    const taken = Array.from({ length: picks }, () => balancer.pick(admits));
    return taken.filter((each) => each?.zone === "near").length / picks;
  };
  return { list, balancer, localShare };
}

/** So many of a zone don't admit. */
function out(count: number, zone = "near"): (candidate: Candidate) => boolean {
  return ({ id }) => !(id.startsWith(zone) && Number(id.split("-")[1]) < count);
}

describe("zone preference", () => {
  it("keeps calls in the caller's zone, however few its endpoints are", () => {
    expect(zones(1, 20).localShare()).toBeGreaterThan(0.98);
  });

  it("keeps them there while the rest of the zone can carry its part", () => {
    expect(zones(10, 10).localShare(out(2))).toBeGreaterThan(0.98);
  });

  it.each([
    [5, 0.7],
    [8, 0.28],
    [9, 0.14],
    [10, 0],
  ])("with %i of ten out, it keeps %f of them", (count, expected) => {
    expect(zones(10, 10).localShare(out(count))).toBeCloseTo(expected, 1);
  });

  it("comes back when the zone does", () => {
    const { localShare } = zones(10, 10);
    expect(localShare(out(8))).toBeLessThan(0.4);
    expect(localShare()).toBeGreaterThan(0.98);
  });

  it("keeps them when nobody elsewhere admits", () => {
    expect(zones(10, 10).localShare((each) => out(9)(each) && out(10, "far")(each))).toBe(1);
  });

  it("goes to all when the zone has no endpoint", () => {
    const { balancer } = zones(0, 5);
    expect(balancer.pick(() => true)?.zone).toBe("far");
  });

  it("doesn't leave it for calls in flight alone, which are many wherever all calls go", () => {
    const { list, localShare } = zones(3, 3);
    for (const each of list) measure(each, 10, 0);
    for (const { zone, load } of list) for (let i = 0; i < 50 && zone === "near"; i++) load.begin(0);
    expect(localShare()).toBeGreaterThan(0.98);
  });

  it.each([
    [15, 0.99],
    [40, 0.5],
    [100, 0.2],
  ])("with %i ms in the zone and 10 elsewhere, it keeps %f of them", (latency, expected) => {
    const { list, localShare } = zones(3, 3);
    for (const each of list) measure(each, each.zone === "near" ? latency : 10, 0);
    expect(Math.abs(localShare() - expected)).toBeLessThan(0.03);
  });

  it("keeps few of them in a zone that fails", () => {
    const { list, localShare } = zones(3, 3);
    for (const each of list) if (each.zone === "near") fail(each, 5);
    expect(localShare()).toBeLessThan(0.1);
  });

  it("asks now and then how long a call takes elsewhere, but not of endpoints that fail", () => {
    const { list, localShare } = zones(3, 3);
    expect(localShare()).toBeGreaterThan(0.98);
    expect(localShare()).toBeLessThan(1);
    for (const each of list) if (each.zone === "far") fail(each, 5);
    expect(localShare()).toBe(1);
  });
});

function fail({ load }: Candidate, times: number): void {
  for (let i = 0; i < times; i++) {
    load.begin(0);
    load.end(0, 0, "failure");
  }
}
