import { describe, expect, it } from "vitest";
import { EndpointLoad, type Outcome } from "./endpoint-load.ts";
import { measure } from "./testing/candidate.ts";

function call(load: EndpointLoad, elapsedMs: number, endsAt: number, outcome: Outcome = "success"): void {
  load.begin(endsAt - elapsedMs);
  load.end(endsAt - elapsedMs, endsAt, outcome);
}

/** One that is known to take 10 ms. */
function known(): EndpointLoad {
  const load = new EndpointLoad(10_000);
  measure({ load }, 10, 0);
  return load;
}

describe("latency", () => {
  it("is unknown until three calls were measured, and is then the quickest of them", () => {
    const load = new EndpointLoad();
    call(load, 300, 0);
    call(load, 4, 0);
    expect(load.latency(0)).toBe(0);
    call(load, 40, 0);
    expect(load.latency(0)).toBe(4);
  });

  it("believes a slower call at once", () => {
    const load = known();
    call(load, 500, 1);
    expect(load.latency(1)).toBe(500);
  });

  it("believes a quicker call by how long ago the last one was", () => {
    const load = known();
    call(load, 500, 0);
    call(load, 10, 10_000);
    expect(load.latency(10_000)).toBeCloseTo(10 + 490 / Math.E);
  });

  it("fades while nothing is measured, so that one that was slow is tried again", () => {
    const load = known();
    expect(load.latency(10_000)).toBeCloseTo(10 / Math.E);
    expect(load.latency(49_000)).toBeGreaterThan(0);
  });

  it("is unknown again once it is forgotten, and the failures are too; calls in flight still are", () => {
    const load = known();
    for (let i = 0; i < 5; i++) call(load, 1, i, "failure");
    load.begin(10);
    load.forget();
    expect(load.latency(10)).toBe(0);
    expect(load.cost(10, 7)).toBe(14);
    expect(load.inFlight).toBe(1);
  });

  it("is unknown again before it is so little that it would draw a whole burst", () => {
    const load = known();
    expect(load.latency(51_000)).toBe(0);
    expect(load.cost(51_000, 7)).toBe(7);
    call(load, 20, 60_000);
    expect(load.latency(60_000)).toBe(20);
  });

  it("has a mean beside the peak, which doesn't fade: of the first calls, then an EWMA in which one counts a tenth at most", () => {
    const load = known();
    call(load, 50, 0);
    expect(load.meanLatency).toBe(20);
    for (let i = 0; i < 6; i++) call(load, 20, 0);
    expect(load.meanLatency).toBeCloseTo(20);
    call(load, 520, 100);
    expect(load.meanLatency).toBeCloseTo(20 + 500 * (1 - Math.exp(-0.01)));
    call(load, 20, 1_000_000);
    expect(load.meanLatency).toBeCloseTo(20 + 0.9 * 500 * (1 - Math.exp(-0.01)));
  });
});

describe("calls in flight", () => {
  it("make the next call dearer, each by one latency", () => {
    const load = known();
    load.begin(0);
    load.begin(0);
    expect(load.inFlight).toBe(2);
    expect(load.cost(0, 1)).toBe(30);
    expect(load.cost(0, 1, 2)).toBe(20);
    load.end(0, 0, "unsent");
    load.end(0, 0, "unsent");
    expect(load.inFlight).toBe(0);
    expect(load.cost(0, 1)).toBe(10);
  });

  it("count as slow once they have waited longer than is usual, on the mean", () => {
    const load = known();
    load.begin(20);
    load.begin(100);
    expect(load.cost(200, 1)).toBe(140 * 3);
    load.end(100, 200, "unsent");
    expect(load.cost(200, 1)).toBe(180 * 2);
    load.end(20, 200, "unsent");
    expect(load.cost(200, 1)).toBeCloseTo(10 * Math.exp(-0.02));
  });

  it("are not waited for once a stream's first message came, and stay in flight until it ends", () => {
    const load = known();
    load.begin(0);
    load.answered(0, 10, "success");
    expect(load.cost(3_600_000, 1)).toBe(2);
    expect(load.inFlight).toBe(1);
    load.release();
    expect(load.inFlight).toBe(0);
  });
});

describe("failures", () => {
  it("make a quick refusal no quicker: the first doubles the cost, and each further one in a row counts for more", () => {
    const load = known();
    call(load, 0.1, 0, "failure");
    expect(load.cost(0, 1)).toBe(20);
    call(load, 0.1, 0, "failure");
    expect(load.cost(0, 1)).toBe(80);
  });

  it("stop at 16,384 times the cost", () => {
    const load = known();
    for (let i = 0; i < 100; i++) call(load, 0.1, 0, "failure");
    expect(load.cost(0, 1)).toBe(163_840);
  });

  it("count for an endpoint of unknown latency too", () => {
    const load = new EndpointLoad();
    call(load, 0.1, 0, "failure");
    expect(load.latency(0)).toBe(0);
    expect(load.cost(0, 7)).toBe(14);
  });

  it("that took long are believed as latency", () => {
    const load = known();
    call(load, 1_000, 0, "failure");
    expect(load.cost(0, 1)).toBe(2_000);
  });

  it("are forgotten by successes: one after a few calls", () => {
    const load = known();
    call(load, 10, 0, "failure");
    for (let i = 0; i < 10; i++) call(load, 10, 0);
    expect(load.cost(0, 1)).toBeLessThan(10.5);
  });

  it("heal with time: of a run, little is left after thirty seconds", () => {
    const load = known();
    for (let i = 0; i < 20; i++) call(load, 0.1, 0, "failure");
    expect(load.cost(10_000, 1)).toBeGreaterThan(10);
    expect(load.cost(30_000, 1)).toBeLessThan(10);
  });

  it("of a probe bring back the whole run", () => {
    const load = known();
    for (let i = 0; i < 20; i++) call(load, 0.1, 0, "failure");
    call(load, 0.1, 15_000, "failure");
    expect(load.cost(15_000, 1) / load.latency(15_000)).toBe(16_384);
  });
});

describe("a caller that leaves", () => {
  it("says nothing when the call was no slower than usual", () => {
    const load = known();
    call(load, 3, 10_000, "cancelled");
    expect(load.cost(10_000, 1)).toBeCloseTo(10 / Math.E);
    expect(load.meanLatency).toBe(10);
  });

  it("counts when the call had lasted longer than usual", () => {
    const load = known();
    call(load, 400, 0, "cancelled");
    expect(load.cost(0, 1)).toBe(400);
  });

  it("counts where nothing is known, so that one that hangs doesn't stay unknown", () => {
    const load = new EndpointLoad();
    for (let i = 0; i < 3; i++) call(load, 400 + i, 1_000 + i, "cancelled");
    expect(load.latency(1_002)).toBe(400);
  });

  it("keeps up what is known of one that hangs", () => {
    const load = known();
    for (let second = 1; second <= 60; second++) call(load, 400, second * 1_000, "cancelled");
    expect(load.latency(60_000)).toBeCloseTo(400);
  });
});
