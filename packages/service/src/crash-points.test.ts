import { describe, expect, it, vi } from "vitest";
import { crashPoints } from "./crash-points.ts";
import { SettingsError } from "./settings.ts";

const created = { id: "1", subject: "shop.order.v1.OrderCreated" };
const changed = { id: "2", subject: "shop.order.v1.OrderStatusChanged" };

describe("crashPoints", () => {
  it("kills at the n-th passing of a point, and not again", () => {
    const kill = vi.fn();
    const pass = crashPoints("before-ack:3", kill);
    for (let i = 0; i < 2; i++) void pass("before-ack", created);
    void pass("after-commit", created);
    expect(kill).not.toHaveBeenCalled();
    void pass("before-ack", changed);
    void pass("before-ack", changed);
    expect(kill).toHaveBeenCalledTimes(1);
  });

  it("counts only the event that it names", () => {
    const kill = vi.fn();
    const pass = crashPoints("before-ack:9, after-commit@shop.order.v1.OrderCreated", kill);
    void pass("after-commit", changed);
    expect(kill).not.toHaveBeenCalled();
    void pass("after-commit", created);
    expect(kill).toHaveBeenCalledTimes(1);
  });

  it.for(["", "before-lunch", "before-ack:0", "before-ack:x", "before-ack,"])("refuses %j", (text) => {
    expect(() => crashPoints(text)).toThrow(SettingsError);
  });
});
