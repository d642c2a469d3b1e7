import { expect, test } from "vitest";
import type { OutlierEndpoint, OutlierEvent, OutlierOutcome } from "./outlier.ts";
import { createOutlierDetector } from "./outlier-detector.ts";
import type { OutlierPolicy } from "./outlier-policy.ts";

function setUp(size: number, policy: Partial<OutlierPolicy> = {}, random = () => 0) {
  let now = 0;
  const events: OutlierEvent[] = [];
  const detector = createOutlierDetector({
    clock: { now: () => now },
    random,
    policy,
    onChange: (event) => events.push(event),
  });
  const endpoints = Array.from({ length: size }, (_, i) => detector.track(`e${i}`));
  function end(endpoint: OutlierEndpoint, outcome: OutlierOutcome, times = 1) {
    for (let i = 0; i < times; i++) endpoint.record(outcome, endpoint.begin());
  }
  /** Seconds pass, a sweep at the end of each. */
  function pass(seconds: number) {
    for (let i = 0; i < seconds; i++) {
      now += 1_000;
      detector.sweep();
    }
  }
  const at = (index: number): OutlierEndpoint => endpoints[index] ?? expect.fail(`no endpoint ${index}`);
  const kinds = () => detector.getState().endpoints.map(({ state }) => state.kind);
  return { detector, endpoints, events, end, pass, at, kinds, wait: (ms: number) => (now += ms) };
}

test("ejects at the fifth failure in a row", () => {
  const { at, end, events } = setUp(3);
  end(at(0), "failure", 4);
  expect(at(0).admits).toBe(true);
  end(at(0), "failure");
  expect(at(0).admits).toBe(false);
  expect(events).toEqual([{ kind: "ejected", id: "e0", cause: "consecutive", forMs: 5_000 }]);
});

test("a success between failures starts the run anew; refusals and ignored calls leave it as it is", () => {
  const { at, end } = setUp(3);
  end(at(0), "failure", 4);
  end(at(0), "success");
  end(at(0), "failure", 4);
  expect(at(0).admits).toBe(true);
  end(at(0), "refused");
  end(at(0), "ignored");
  end(at(0), "failure");
  expect(at(0).admits).toBe(false);
});

test("refusals in a row eject nobody", () => {
  const { endpoints, end, pass } = setUp(3);
  for (let second = 0; second < 10; second++) {
    for (const endpoint of endpoints) end(endpoint, "refused", 100);
    pass(1);
  }
  expect(endpoints.every((each) => each.admits)).toBe(true);
});

test("the only endpoint is never ejected, and of three never more than one", () => {
  const alone = setUp(1);
  alone.end(alone.at(0), "failure", 100);
  alone.pass(3);
  expect(alone.at(0).unreachable()).toBe(false);
  expect(alone.at(0).admits).toBe(true);
  const { at, end, kinds } = setUp(3);
  end(at(0), "failure", 5);
  end(at(1), "failure", 50);
  expect(at(2).unreachable()).toBe(false);
  expect(kinds()).toEqual(["ejected", "in", "in"]);
});

test("a shared failure ejects nobody: when the others fail too, a run must be longer", () => {
  const { endpoints, end, events } = setUp(4);
  // All fail in turn, as when what all depend on is away.
  for (let round = 0; round < 50; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  expect(events).toEqual([]);
});

const byRunsAlone = { successRate: undefined, failurePercentage: undefined };

test("a run that told nothing while all failed is judged again at the next sweeps, when the others are well", () => {
  const { endpoints, at, end, pass } = setUp(4, byRunsAlone);
  for (let round = 0; round < 50; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  for (let second = 0; second < 3; second++) {
    for (const endpoint of [at(1), at(2), at(3)]) end(endpoint, "success", 50);
    pass(1);
    end(at(0), "failure");
  }
  expect(at(0).admits).toBe(false);
});

test("it is judged again before that when it has become twice as long", () => {
  const { endpoints, at, end } = setUp(4, byRunsAlone);
  for (let round = 0; round < 6; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  for (const endpoint of [at(1), at(2), at(3)]) end(endpoint, "success", 200);
  end(at(0), "failure", 4);
  expect(at(0).admits).toBe(false);
});

test("refusals are no failures to the failure percentage", () => {
  const { at, end, pass } = setUp(3, { successRate: undefined });
  end(at(0), "refused", 20);
  end(at(1), "success", 20);
  end(at(2), "success", 20);
  pass(1);
  expect(at(0).admits).toBe(true);
});

test("each interval is judged by its own calls", () => {
  const { endpoints, at, end, pass } = setUp(3, { successRate: undefined });
  for (let second = 0; second < 3; second++) {
    for (const endpoint of endpoints) end(endpoint, "success", 20);
    pass(1);
  }
  for (let call = 0; call < 10; call++) {
    end(at(0), "success");
    end(at(0), "failure");
    end(at(1), "success", 2);
    end(at(2), "success", 2);
  }
  pass(1);
  expect(at(0).admits).toBe(false);
});

test("an interval ejects by success rate: one of three that refuses", () => {
  const { at, end, pass, events } = setUp(3);
  end(at(0), "refused", 10);
  end(at(1), "success", 10);
  end(at(2), "success", 10);
  pass(1);
  expect(events).toMatchObject([{ kind: "ejected", id: "e0", cause: "success-rate" }]);
});

test("an endpoint with few calls is judged when it has enough, over several intervals", () => {
  const { at, end, pass, events } = setUp(3);
  for (let second = 0; second < 4; second++) {
    end(at(0), "refused", 2);
    end(at(1), "success", 20);
    end(at(2), "success", 20);
    pass(1);
  }
  expect(events).toMatchObject([{ kind: "ejected", id: "e0" }]);
});

test("calls that began before the ejection say nothing after it", () => {
  const { at, end, pass } = setUp(3);
  const before = at(0).begin();
  end(at(0), "failure", 5);
  at(0).record("success", before);
  pass(5);
  at(0).record("failure", before);
  expect(at(0).getState().state).toMatchObject({ kind: "probing", successes: 0 });
});

test("after its time an ejected endpoint takes one call at a time, and is back after three successes", () => {
  const { at, end, pass, detector, events } = setUp(3);
  end(at(0), "failure", 5);
  pass(4);
  expect(at(0).admits).toBe(false);
  expect(detector.due()).toBeUndefined();
  pass(1);
  for (let trial = 0; trial < 3; trial++) {
    expect(detector.due()).toBe(at(0));
    const began = at(0).begin();
    expect(at(0).admits).toBe(false);
    expect(detector.due()).toBeUndefined();
    at(0).record("success", began);
    expect(at(0).admits).toBe(true);
  }
  expect(at(0).getState().state).toEqual({ kind: "in" });
  expect(detector.due()).toBeUndefined();
  expect(events.map(({ kind }) => kind)).toEqual(["ejected", "probing", "returned"]);
});

test("a trial that says nothing is followed by another", () => {
  const { at, end, pass, detector } = setUp(3);
  end(at(0), "failure", 5);
  pass(5);
  end(at(0), "ignored");
  expect(detector.due()).toBe(at(0));
  expect(at(0).getState().state).toMatchObject({ kind: "probing", successes: 0 });
});

test("each failed trial ejects for longer, up to the longest", () => {
  const { at, end, pass, events } = setUp(3);
  end(at(0), "failure", 5);
  for (let ejection = 0; ejection < 7; ejection++) {
    pass(30);
    end(at(0), "success");
    end(at(0), "failure");
  }
  const times = events.flatMap((event) => (event.kind === "ejected" ? [event.forMs / 1_000] : []));
  expect(times).toEqual([5, 10, 15, 20, 25, 30, 30, 30]);
});

test("the multiplier falls by one each interval that the endpoint is in", () => {
  const { at, end, pass } = setUp(3);
  end(at(0), "failure", 5);
  pass(5);
  end(at(0), "failure");
  pass(10);
  end(at(0), "success", 3);
  expect(at(0).getState().multiplier).toBe(2);
  pass(1);
  expect(at(0).getState().multiplier).toBe(1);
  pass(5);
  expect(at(0).getState().multiplier).toBe(0);
});

test("a failed trial while the others fail too doesn't make the ejection longer", () => {
  const { at, end, pass, events } = setUp(4);
  end(at(0), "failure", 5);
  pass(5);
  for (let round = 0; round < 4; round++) for (const each of [at(1), at(2), at(3)]) end(each, "failure");
  end(at(0), "failure");
  expect(events.at(-1)).toMatchObject({ kind: "ejected", id: "e0", forMs: 5_000 });
});

test("jitter shortens an ejection by up to a fifth", () => {
  const { at, end, events } = setUp(3, {}, () => 0.5);
  end(at(0), "failure", 5);
  expect(events).toMatchObject([{ forMs: 4_500 }]);
});

test("an ejection for silence ends as soon as the process answers a probe", () => {
  const { at, end } = setUp(3);
  end(at(0), "silence", 5);
  expect(at(0).getState().state).toMatchObject({ kind: "ejected", cause: "silence" });
  at(0).reachable();
  expect(at(0).getState().state).toMatchObject({ kind: "probing" });
  end(at(0), "success", 3);
  expect(at(0).getState().state).toEqual({ kind: "in" });
});

test("an ejection for failures doesn't end because a probe is answered", () => {
  const { at, end } = setUp(3);
  end(at(0), "failure", 5);
  at(0).reachable();
  expect(at(0).admits).toBe(false);
});

test("the owner's probe that gets no answer ejects at once", () => {
  const { at, events } = setUp(3);
  expect(at(0).unreachable()).toBe(true);
  expect(at(0).unreachable()).toBe(false);
  expect(events).toMatchObject([{ kind: "ejected", id: "e0", cause: "silence" }]);
});

test("when endpoints leave, the one that has been out longest returns until no more than half are out", () => {
  const { at, wait, kinds, events } = setUp(6);
  at(1).unreachable();
  wait(10);
  at(0).unreachable();
  wait(10);
  at(2).unreachable();
  at(5).forget();
  expect(kinds()).toEqual(["ejected", "in", "ejected", "in", "in"]);
  expect(events.at(-1)).toEqual({ kind: "returned", id: "e1", why: "room" });
});

test("time out counts from the first ejection, through trials that failed", () => {
  const { at, end, pass, wait, kinds } = setUp(4);
  at(0).unreachable();
  pass(5);
  at(1).unreachable();
  wait(10);
  end(at(0), "silence");
  at(3).forget();
  expect(kinds()).toEqual(["in", "ejected", "in"]);
});

test("a refresh of the list keeps the statistics of those that stay", () => {
  const { detector, at, end, kinds } = setUp(3);
  end(at(0), "failure", 4);
  const again = detector.track("e0");
  detector.track("e3");
  at(2).forget();
  expect(again).toBe(at(0));
  end(again, "failure");
  expect(kinds()).toEqual(["ejected", "in", "in"]);
});

test("who is forgotten starts anew, and late outcomes of its last calls change nothing", () => {
  const { detector, at, end, kinds } = setUp(4);
  end(at(0), "failure", 5);
  at(0).forget();
  at(0).forget();
  const anew = detector.track("e0");
  expect(anew.admits).toBe(true);
  end(at(0), "failure", 20);
  at(1).forget();
  end(at(1), "failure", 20);
  expect(kinds()).toEqual(["in", "in", "in"]);
});

test("the state tells who is out, why and since when, and how many may be", () => {
  const { detector, at, end, pass } = setUp(5);
  pass(2);
  end(at(1), "failure", 5);
  end(at(2), "failure", 2);
  expect(detector.getState()).toMatchObject({
    out: 1,
    maxOut: 2,
    endpoints: [
      { id: "e0", state: { kind: "in" }, ejections: 0 },
      { id: "e1", state: { kind: "ejected", cause: "consecutive", since: 2_000, until: 7_000 }, multiplier: 1 },
      { id: "e2", state: { kind: "in" }, consecutiveFailures: 2 },
      {},
      {},
    ],
  });
});
