import { expect, test } from "vitest";
import { setUpDetector } from "./testing/outlier-detector.ts";

test("after its time an ejected endpoint takes one call at a time, and is back after three successes", () => {
  const { at, end, pass, detector, events } = setUpDetector(3);
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
  const { at, end, pass, detector } = setUpDetector(3);
  end(at(0), "failure", 5);
  pass(5);
  end(at(0), "ignored");
  expect(detector.due()).toBe(at(0));
  expect(at(0).getState().state).toMatchObject({ kind: "probing", successes: 0 });
});

test("each failed trial ejects for longer, up to the longest", () => {
  const { at, end, pass, events } = setUpDetector(3);
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
  const { at, end, pass } = setUpDetector(3);
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
  const { at, end, pass, events } = setUpDetector(4);
  end(at(0), "failure", 5);
  pass(5);
  for (let round = 0; round < 4; round++) for (const each of [at(1), at(2), at(3)]) end(each, "failure");
  end(at(0), "failure");
  expect(events.at(-1)).toMatchObject({ kind: "ejected", id: "e0", forMs: 5_000 });
});

test("jitter shortens an ejection by up to a fifth", () => {
  const { at, end, events } = setUpDetector(3, {}, () => 0.5);
  end(at(0), "failure", 5);
  expect(events).toMatchObject([{ forMs: 4_500 }]);
});

test("an ejection for silence ends as soon as the process answers a probe", () => {
  const { at, end } = setUpDetector(3);
  end(at(0), "silence", 5);
  expect(at(0).getState().state).toMatchObject({ kind: "ejected", cause: "silence" });
  at(0).reachable();
  expect(at(0).getState().state).toMatchObject({ kind: "probing" });
  end(at(0), "success", 3);
  expect(at(0).getState().state).toEqual({ kind: "in" });
});

test("an ejection for failures doesn't end because a probe is answered", () => {
  const { at, end } = setUpDetector(3);
  end(at(0), "failure", 5);
  at(0).reachable();
  expect(at(0).admits).toBe(false);
});

test("the owner's probe that gets no answer ejects at once", () => {
  const { at, events } = setUpDetector(3);
  expect(at(0).unreachable()).toBe(true);
  expect(at(0).unreachable()).toBe(false);
  expect(events).toMatchObject([{ kind: "ejected", id: "e0", cause: "silence" }]);
});
