import { describe, expect, it } from "vitest";
import { subset } from "./subset.ts";
import { candidates } from "./testing/candidate.ts";

const fleet = candidates(200);
const clients = Array.from({ length: 500 }, (_, i) => `client-${i}`);

describe("subset", () => {
  it("is the whole fleet when that is small enough", () => {
    expect(subset(fleet, 200, "client")).toBe(fleet);
  });

  it("has the size that was asked for, and is the same for the same client", () => {
    const mine = subset(fleet, 20, "client");
    expect(new Set(mine).size).toBe(20);
    expect(subset(fleet.toReversed(), 20, "client")).toEqual(mine);
  });

  it("connects every endpoint with about as many clients as any other", () => {
    const counts = new Map(fleet.map(({ id }) => [id, 0]));
    for (const client of clients) {
      for (const { id } of subset(fleet, 20, client)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    // 50 each; a standard deviation is 6.7.
    expect(Math.min(...counts.values())).toBeGreaterThan(50 - 4 * 6.7);
    expect(Math.max(...counts.values())).toBeLessThan(50 + 4 * 6.7);
  });

  it("changes by one member at most when one leaves the fleet", () => {
    const smaller = fleet.slice(1);
    const changed = clients.filter((client) => {
      const before = new Set(subset(fleet, 20, client));
      const joined = subset(smaller, 20, client).filter((each) => !before.has(each));
      expect(joined.length).toBe(before.has(fleet[0] ?? smaller[0] ?? never()) ? 1 : 0);
      return joined.length > 0;
    });
    expect(changed.length).toBeGreaterThan(500 / 10 / 2);
    expect(changed.length).toBeLessThan((500 / 10) * 2);
  });
});

function never(): never {
  throw new Error("the fleet is empty");
}
