import { join } from "node:path";
import { fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { eventHeaders } from "@weft/events";
import { bytesOf, isOf, readHistories } from "@weft/testkit";
import { describe, expect, it } from "vitest";
import { eventRegistry } from "./events.ts";
import { scenarios } from "./scenarios.ts";

const histories = readHistories(join(import.meta.dirname, "../../histories"));

describe.each(histories)("the recorded history $name", ({ events }) => {
  it.each(events)("has $subject number $sequence, which today's contract reads as it was meant", (event) => {
    const schema = eventRegistry.getMessage(event.subject);
    if (!schema) return expect.unreachable(`no contract has ${event.subject}: events that were published stay`);
    const message = fromBinary(schema, bytesOf(event));
    expect(toJson(schema, message, { registry: eventRegistry })).toEqual(event.message);
    expect(Buffer.from(toBinary(schema, message)).toString("base64"), "unknown fields included").toBe(event.data);
    expect(event.headers[eventHeaders.type]).toBe(event.subject);
    expect(isOf(event.subject.split(".")[1] ?? "", event)).toBe(true);
  });

  it("has each key's events numbered from 1 on in each stream", () => {
    const lanes = Map.groupBy(events, ({ stream, headers }) => `${stream} ${headers[eventHeaders.key]}`);
    for (const lane of lanes.values()) {
      expect(lane.map(({ headers }) => headers[eventHeaders.keySeq])).toEqual(lane.map((_, i) => String(i + 1)));
    }
  });
});

it("no two histories are of the same user or order, so that all can be played at once", () => {
  const keys = histories.flatMap(({ events }) => [...new Set(events.map(({ headers }) => headers[eventHeaders.key]))]);
  expect(keys).toHaveLength(new Set(keys).size);
});

it("there is a history of every scenario", () => {
  const recorded = histories.map(({ name }) => name);
  expect(scenarios.map(({ name }) => name).filter((name) => !recorded.includes(name))).toEqual([]);
});
