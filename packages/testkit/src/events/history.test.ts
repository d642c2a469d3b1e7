import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asSeenBy, idOf, interleave, isOf, type RecordedEvent, readHistories, recordedAs, toldBy } from "./history.ts";

/** An event of a key; times are seconds of one minute. */
function event(id: string, { key = "k", source = "order", happened = 0, stored = 0 } = {}): RecordedEvent {
  const second = (n: number): string => `2026-05-01T10:00:${String(n).padStart(2, "0")}Z`;
  return {
    ...{ stream: "S", sequence: 1, subject: MixinSchema.typeName, storedAt: second(stored), message: {} },
    headers: { "ce-id": id, "ce-partitionkey": key, "ce-source": `/${source}`, "ce-time": second(happened) },
    data: Buffer.from(toBinary(MixinSchema, create(MixinSchema, { name: id }))).toString("base64"),
  };
}

const ids = (events: readonly RecordedEvent[]): readonly string[] => events.map(idOf);

describe("a recorded history", () => {
  it("is read from its file, whose name it has", () => {
    const folder = mkdtempSync(join(tmpdir(), "histories-"));
    writeFileSync(join(folder, "paid.json"), JSON.stringify({ note: "All went well.", events: [event("a")] }));
    writeFileSync(join(folder, "README.md"), "no history");
    expect(readHistories(folder)).toEqual([{ name: "paid", note: "All went well.", events: [event("a")] }]);
    rmSync(folder, { recursive: true });
  });

  it("has events whose contents are read by their type, and by no other", () => {
    expect(recordedAs(MixinSchema, event("a"))?.name).toBe("a");
    expect(recordedAs(MixinSchema, { ...event("a"), subject: "another.Type" })).toBeUndefined();
    expect(isOf("order", event("a"))).toBe(true);
    expect(isOf("payment", event("a"))).toBe(false);
  });

  it("tells what a service said of a key", () => {
    const events = [event("a"), event("b", { key: "other" }), event("c", { source: "payment" }), event("d")];
    expect(ids(toldBy("order", events, "k"))).toEqual(["a", "d"]);
  });

  it("comes about for a service as its own events happened and the others arrived", () => {
    const own = event("own", { happened: 2, stored: 9 });
    const foreign = event("foreign", { source: "payment", happened: 1, stored: 5 });
    expect(ids(asSeenBy("order", { events: [foreign, own] }))).toEqual(["own", "foreign"]);
    expect(ids(asSeenBy("payment", { events: [own, foreign] }))).toEqual(["foreign", "own"]);
  });
});

describe("histories that are interleaved", () => {
  it("have all their events, each key's in their order, and the same order for the same seed", () => {
    const keys = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 30 });
    fc.assert(
      fc.property(keys, fc.integer(), (drawn, seed) => {
        const events = drawn.map((key, n) => event(`${n}`, { key }));
        const order = interleave(events, seed);
        expect(interleave(events, seed)).toEqual(order);
        for (const key of ["a", "b", "c"]) {
          const ofKey = (all: readonly RecordedEvent[]) =>
            all.filter(({ headers }) => headers["ce-partitionkey"] === key);
          expect(ids(ofKey(order))).toEqual(ids(ofKey(events)));
        }
        expect(order).toHaveLength(events.length);
      }),
    );
  });

  it("come in another order for another seed", () => {
    const events = Array.from({ length: 20 }, (_, n) => event(`${n}`, { key: `${n}` }));
    expect(ids(interleave(events, 1))).not.toEqual(ids(interleave(events, 2)));
  });
});
