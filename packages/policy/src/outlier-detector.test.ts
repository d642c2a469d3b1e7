import { expect, test } from "vitest";
import { setUpDetector } from "./testing/outlier-detector.ts";

test("ejects at the fifth failure in a row", () => {
  const { at, end, events } = setUpDetector(3);
  end(at(0), "failure", 4);
  expect(at(0).admits).toBe(true);
  end(at(0), "failure");
  expect(at(0).admits).toBe(false);
  expect(events).toEqual([{ kind: "ejected", id: "e0", cause: "consecutive", forMs: 5_000 }]);
});

test("a success between failures starts the run anew; refusals and ignored calls leave it as it is", () => {
  const { at, end } = setUpDetector(3);
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
  const { endpoints, end, pass } = setUpDetector(3);
  for (let second = 0; second < 10; second++) {
    for (const endpoint of endpoints) end(endpoint, "refused", 100);
    pass(1);
  }
  expect(endpoints.every((each) => each.admits)).toBe(true);
});

test("the only endpoint is never ejected, and of three never more than one", () => {
  const alone = setUpDetector(1);
  alone.end(alone.at(0), "failure", 100);
  alone.pass(3);
  expect(alone.at(0).unreachable()).toBe(false);
  expect(alone.at(0).admits).toBe(true);
  const { at, end, kinds } = setUpDetector(3);
  end(at(0), "failure", 5);
  end(at(1), "failure", 50);
  expect(at(2).unreachable()).toBe(false);
  expect(kinds()).toEqual(["ejected", "in", "in"]);
});

test("a shared failure ejects nobody: when the others fail too, a run must be longer", () => {
  const { endpoints, end, events } = setUpDetector(4);
  // All fail in turn, as when what all depend on is away.
  for (let round = 0; round < 50; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  expect(events).toEqual([]);
});

const byRunsAlone = { successRate: undefined, failurePercentage: undefined };

test("a run that told nothing while all failed is judged again at the next sweeps, when the others are well", () => {
  const { endpoints, at, end, pass } = setUpDetector(4, byRunsAlone);
  for (let round = 0; round < 50; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  for (let second = 0; second < 3; second++) {
    for (const endpoint of [at(1), at(2), at(3)]) end(endpoint, "success", 50);
    pass(1);
    end(at(0), "failure");
  }
  expect(at(0).admits).toBe(false);
});

test("it is judged again before that when it has become twice as long", () => {
  const { endpoints, at, end } = setUpDetector(4, byRunsAlone);
  for (let round = 0; round < 6; round++) for (const endpoint of endpoints) end(endpoint, "failure");
  for (const endpoint of [at(1), at(2), at(3)]) end(endpoint, "success", 200);
  end(at(0), "failure", 4);
  expect(at(0).admits).toBe(false);
});

test("refusals are no failures to the failure percentage", () => {
  const { at, end, pass } = setUpDetector(3, { successRate: undefined });
  end(at(0), "refused", 20);
  end(at(1), "success", 20);
  end(at(2), "success", 20);
  pass(1);
  expect(at(0).admits).toBe(true);
});

test("each interval is judged by its own calls", () => {
  const { endpoints, at, end, pass } = setUpDetector(3, { successRate: undefined });
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
  const { at, end, pass, events } = setUpDetector(3);
  end(at(0), "refused", 10);
  end(at(1), "success", 10);
  end(at(2), "success", 10);
  pass(1);
  expect(events).toMatchObject([{ kind: "ejected", id: "e0", cause: "success-rate" }]);
});

test("an endpoint with few calls is judged when it has enough, over several intervals", () => {
  const { at, end, pass, events } = setUpDetector(3);
  for (let second = 0; second < 4; second++) {
    end(at(0), "refused", 2);
    end(at(1), "success", 20);
    end(at(2), "success", 20);
    pass(1);
  }
  expect(events).toMatchObject([{ kind: "ejected", id: "e0" }]);
});

test("calls that began before the ejection say nothing after it", () => {
  const { at, end, pass } = setUpDetector(3);
  const before = at(0).begin();
  end(at(0), "failure", 5);
  at(0).record("success", before);
  pass(5);
  at(0).record("failure", before);
  expect(at(0).getState().state).toMatchObject({ kind: "probing", successes: 0 });
});

test("when endpoints leave, the one that has been out longest returns until no more than half are out", () => {
  const { at, wait, kinds, events } = setUpDetector(6);
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
  const { at, end, pass, wait, kinds } = setUpDetector(4);
  at(0).unreachable();
  pass(5);
  at(1).unreachable();
  wait(10);
  end(at(0), "silence");
  at(3).forget();
  expect(kinds()).toEqual(["in", "ejected", "in"]);
});

test("a refresh of the list keeps the statistics of those that stay", () => {
  const { detector, at, end, kinds } = setUpDetector(3);
  end(at(0), "failure", 4);
  const again = detector.track("e0");
  detector.track("e3");
  at(2).forget();
  expect(again).toBe(at(0));
  end(again, "failure");
  expect(kinds()).toEqual(["ejected", "in", "in"]);
});

test("who is forgotten starts anew, and late outcomes of its last calls change nothing", () => {
  const { detector, at, end, kinds } = setUpDetector(4);
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
  const { detector, at, end, pass } = setUpDetector(5);
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
