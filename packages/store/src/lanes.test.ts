import { silentLogger } from "@weft/telemetry";
import { describe, expect, it } from "vitest";
import { createLanes } from "./lanes.ts";

const open = new AbortController().signal;

/** Rows to claim, and attempts that end when the test says so. */
function queue(rows: string[]) {
  const ends = new Map<string, PromiseWithResolvers<void>>();
  return {
    claim: async (limit: number) => rows.splice(0, limit),
    attempt: (row: string) => {
      const end = Promise.withResolvers<void>();
      ends.set(row, end);
      return end.promise;
    },
    begun: () => [...ends.keys()],
    end: (row: string) => ends.get(row)?.resolve(),
    fail: (row: string) => ends.get(row)?.reject(new Error("the database is away")),
  };
}

describe("lanes", () => {
  it("begin with no more rows than there are lanes, and go on when one is free", async () => {
    const work = queue(["a", "b", "c"]);
    const lanes = createLanes(2, work.claim, work.attempt, silentLogger);
    expect(await lanes.poll(open)).toBe(2);
    const next = lanes.poll(open);
    expect(work.begun()).toEqual(["a", "b"]);
    work.end("b");
    expect(await next).toBe(1);
    expect(work.begun()).toEqual(["a", "b", "c"]);
  });

  it("say that there is nothing more to do when fewer rows are due than lanes are free", async () => {
    const work = queue(["a"]);
    const lanes = createLanes(2, work.claim, work.attempt, silentLogger);
    expect(await lanes.poll(open)).toBe(0);
    expect(work.begun()).toEqual(["a"]);
  });

  it("are not held up by a row that takes long", async () => {
    const work = queue(["slow", "b", "c", "d"]);
    const lanes = createLanes(2, work.claim, work.attempt, silentLogger);
    await lanes.poll(open);
    for (const row of ["b", "c"]) {
      work.end(row);
      await lanes.poll(open);
    }
    expect(work.begun()).toEqual(["slow", "b", "c", "d"]);
  });

  it("stop waiting for a lane when the worker closes, and are drained when all has ended", async () => {
    const work = queue(["a", "b"]);
    const lanes = createLanes(1, work.claim, work.attempt, silentLogger);
    await lanes.poll(open);
    const closing = new AbortController();
    const waiting = lanes.poll(closing.signal);
    closing.abort();
    expect(await waiting).toBe(0);
    let drained = false;
    const drain = lanes.drained().then(() => {
      drained = true;
    });
    await new Promise(setImmediate);
    expect(drained).toBe(false);
    work.end("a");
    await drain;
    expect(work.begun()).toEqual(["a"]);
  });

  it("are free again after an attempt that could not be settled", async () => {
    const work = queue(["a", "b"]);
    const lanes = createLanes(1, work.claim, work.attempt, silentLogger);
    await lanes.poll(open);
    work.fail("a");
    expect(await lanes.poll(open)).toBe(1);
    expect(work.begun()).toEqual(["a", "b"]);
  });
});
