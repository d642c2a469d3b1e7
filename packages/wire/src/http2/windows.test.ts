import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BandwidthDelay } from "./bandwidth-delay.ts";
import { errorCode, largestWindow } from "./protocol.ts";
import { ReceiveWindow } from "./receive-window.ts";

describe("a receive window", () => {
  it("is given back when half of it has been consumed", () => {
    const window = new ReceiveWindow(100);
    window.receive(60);
    expect(window.unread).toBe(60);
    expect(window.consume(49)).toBe(0);
    expect(window.consume(1)).toBe(50);
    expect(window.unread).toBe(10);
  });

  it("that the peer exceeds is a flow-control error", () => {
    const window = new ReceiveWindow(100);
    window.receive(100);
    expect(() => window.receive(1)).toThrow(expect.objectContaining({ code: errorCode.flowControlError }));
  });

  it("grows at once, up to the largest that there is", () => {
    const window = new ReceiveWindow(100);
    window.receive(30);
    window.consume(30);
    expect(window.grow(150)).toBe(50);
    expect(window.grow(150)).toBe(0);
    expect(window.grow(2 ** 40)).toBe(largestWindow - 150);
  });

  it("never lets the peer have more on its way and unread than its size, and never stops it for good", () => {
    const steps = fc.array(fc.record({ sent: fc.nat(100), read: fc.nat(100), grown: fc.option(fc.nat(500)) }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), steps, (initial, list) => {
        const window = new ReceiveWindow(initial);
        let [size, allowed, unread] = [initial, initial, 0];
        for (const { sent, read, grown } of list) {
          const arrives = Math.min(sent, allowed);
          window.receive(arrives);
          allowed -= arrives;
          unread += arrives;
          const taken = Math.min(read, unread);
          unread -= taken;
          allowed += window.consume(taken);
          if (grown !== null) allowed += window.grow(grown);
          size = Math.max(size, grown ?? 0);
          expect(window.unread).toBe(unread);
          expect(allowed + unread).toBeLessThanOrEqual(size);
          if (unread === 0) expect(allowed).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe("the estimate of what a connection can have on its way", () => {
  it("doubles what came within a round trip when the window was nearly used up", () => {
    const estimate = new BandwidthDelay({ initial: 60_000 });
    expect(estimate.received(10_000, 0)).toBe(true);
    expect(estimate.received(40_000, 5)).toBe(false);
    expect(estimate.answered(10)).toBe(100_000);
    expect(estimate.received(100_000, 20)).toBe(true);
    expect(estimate.answered(30)).toBe(200_000);
  });

  it("stays when the window is not what the sender waits for", () => {
    const estimate = new BandwidthDelay({ initial: 60_000 });
    estimate.received(39_999, 0);
    expect(estimate.answered(10)).toBeUndefined();
  });

  it("stays when more on its way brought no more a second", () => {
    const estimate = new BandwidthDelay({ initial: 60_000 });
    estimate.received(60_000, 0);
    expect(estimate.answered(10)).toBe(120_000);
    estimate.received(120_000, 20);
    expect(estimate.answered(40)).toBeUndefined();
  });

  it("ends at the most that it may be, and asks no more", () => {
    const estimate = new BandwidthDelay({ initial: 60_000, most: 100_000 });
    estimate.received(60_000, 0);
    expect(estimate.answered(10)).toBe(100_000);
    expect(estimate.received(1, 20)).toBe(false);
  });
});
