import type { CollectedSpan } from "@weft/testkit";
import { describe, expect, it } from "vitest";
import { areWhole, stepsOf } from "./steps.ts";

interface Told extends Partial<Omit<CollectedSpan, "startTime" | "endTime">> {
  /** Milliseconds. */
  readonly from?: number;
  readonly to?: number;
}

/** A span of the trace "t" that begins as the customer's own child. */
function span(spanId: string, { from = 0, to = from, ...told }: Told = {}): CollectedSpan {
  return {
    ...{ traceId: "t", spanId, parentSpanId: "customer", name: spanId, kind: "internal", service: "order", scope: "" },
    ...{ attributes: {}, events: [], links: [], status: { code: "unset", message: "" }, resource: {} },
    startTime: BigInt(from) * 1_000_000n,
    endTime: BigInt(to) * 1_000_000n,
    ...told,
  };
}

describe("the traces of orders", () => {
  const createOrder = { service: "gateway", name: "shop.order.v1.OrderService/CreateOrder" };
  const mail = { service: "notification", name: "SMTP send" };
  const spans = [
    span("first", { ...createOrder, kind: "server" }),
    span("second", { ...createOrder, kind: "client", parentSpanId: "first" }),
    span("third", { ...mail, parentSpanId: "second" }),
    span("fourth", { ...mail, parentSpanId: "second" }),
    span("fifth", { ...mail, parentSpanId: "second" }),
    span("sixth", { name: "process shop.inventory.v1.StockCommitted", parentSpanId: "second" }),
    span("last", { service: "payment", name: "process shop.order.v1.OrderStatusChanged", parentSpanId: "second" }),
  ];

  it("are whole when each has what an order begins and ends with, in whichever order it came", () => {
    expect(areWhole(spans, ["t"])).toBe(true);
    expect(areWhole(spans.toReversed(), ["t"])).toBe(true);
  });

  it.each(spans)("are not whole without their $spanId span: $service $name", ({ spanId }) => {
    expect(
      areWhole(
        spans.filter((each) => each.spanId !== spanId),
        ["t"],
      ),
    ).toBe(false);
  });

  it("are not whole while a span's parent is missing", () => {
    expect(areWhole([...spans, span("child", { parentSpanId: "missing" })], ["t"])).toBe(false);
  });

  it("are not whole while one of them has not come", () => {
    expect(areWhole(spans, ["t", "another"])).toBe(false);
  });
});

describe("the steps of an order", () => {
  const figures = (spans: readonly CollectedSpan[]) =>
    Object.fromEntries(stepsOf(spans).map(({ step, total_ms }) => [step, total_ms]));

  it("have their own time alone: that of children is theirs, once where they overlap", () => {
    const parentSpanId = "parent";
    expect(
      figures([
        span("parent", { from: 0, to: 100 }),
        span("late child", { parentSpanId, from: 30, to: 60 }),
        span("early child", { parentSpanId, from: 10, to: 40 }),
        span("inner child", { parentSpanId, from: 45, to: 50 }),
      ]),
    ).toEqual({ parent: 50, "late child": 30, "early child": 30, "inner child": 5 });
  });

  it("lose no time to a child that goes on after them, but for what they have in common", () => {
    expect(
      figures([span("parent", { from: 0, to: 10 }), span("child", { parentSpanId: "parent", from: 6, to: 50 })]),
    ).toEqual({ parent: 6, child: 44 });
  });

  it("have a wait for what they caused and what began after their end", () => {
    expect(
      figures([span("publish", { from: 0, to: 10 }), span("process", { parentSpanId: "publish", from: 25, to: 30 })]),
    ).toEqual({ publish: 10, process: 5, "wait for process": 15 });
  });

  it("are counted for an order, and the most expensive comes first", () => {
    const spans = [
      span("1", { name: "query", to: 2 }),
      span("2", { name: "query", to: 4 }),
      span("3", { name: "query", to: 6, traceId: "u" }),
      span("4", { name: "mail", service: "notification", to: 50, traceId: "u" }),
    ];
    expect(stepsOf(spans)).toEqual([
      { service: "notification", step: "mail", calls: 0.5, mean_ms: 50, p50_ms: 50, p99_ms: 50, total_ms: 25 },
      { service: "order", step: "query", calls: 1.5, mean_ms: 4, p50_ms: 4, p99_ms: 6, total_ms: 6 },
    ]);
  });

  it("tell the caller's end of a call from the other, and one service's from another's", () => {
    const name = "shop.user.v1.UserService/GetUser";
    const steps = stepsOf([
      span("1", { name, kind: "client" }),
      span("2", { name, kind: "server", service: "user" }),
      span("3", { name: "SELECT a/b", kind: "client" }),
      span("4", { name: "SELECT a/b", kind: "client", service: "user" }),
    ]);
    expect(steps.map(({ service, step }) => `${service} ${step}`).toSorted()).toEqual([
      "order SELECT a/b",
      `order call ${name}`,
      "user SELECT a/b",
      `user ${name}`,
    ]);
  });
});
