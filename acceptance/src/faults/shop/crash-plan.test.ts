import { expect, it } from "vitest";
import { type CrashPlanOptions, createCrashPlan } from "./crash-plan.ts";

function begun(options: Partial<CrashPlanOptions> = {}) {
  const plan = createCrashPlan({ farthest: 3, random: () => 0.5, ...options });
  plan.begin();
  return plan;
}

const steps = [
  "before-commit@shop.user.v1.UserCreated:2",
  "after-commit@shop.user.v1.UserCreated:2",
  "before-publish@shop.user.v1.UserCreated:2",
  "after-publish@shop.user.v1.UserCreated:2",
];

it("gives each start of a service the next of its steps, and begins anew after the last", () => {
  const { startEnv } = begun();
  const starts = Array.from({ length: 5 }, () => startEnv("user").WEFT_CRASH);
  expect(starts).toEqual([...steps, steps[0]]);
});

it("prefers a step at which the service has not crashed", () => {
  const { startEnv, crashed } = begun();
  for (const crashes of [true, false, true, true]) {
    startEnv("user");
    if (crashes) crashed("user");
  }
  expect(startEnv("user").WEFT_CRASH).toBe(steps[1]);
});

it("counts a crash for the step that the last start was told, and tells which are left", () => {
  const { startEnv, crashed, crashes, steps, left } = begun();
  expect(left()).toHaveLength(steps);
  startEnv("user");
  startEnv("user");
  expect([crashed("user"), crashed("user")]).toEqual([true, true]);
  expect([...crashes]).toEqual([["user after-commit@shop.user.v1.UserCreated", 2]]);
  expect(left()).toHaveLength(steps - 1);
  expect(left()).not.toContain("user after-commit@shop.user.v1.UserCreated");
});

it("waits for few passings of a rare event the first time, and for up to the farthest later and of another", () => {
  const { startEnv, crashed } = begun({ farthest: 25, random: () => 0.99 });
  const passings = () =>
    Object.fromEntries(
      Array.from({ length: 12 }, () => {
        const [, subject = "", passing] = startEnv("notification").WEFT_CRASH?.split(/[@:]/) ?? [];
        crashed("notification");
        return [subject, passing];
      }),
    );
  const others = {
    "shop.order.v1.OrderCreated": "25",
    "shop.order.v1.OrderStatusChanged": "25",
    "shop.payment.v1.PaymentCompleted": "25",
  };
  expect(passings()).toEqual({ ...others, "shop.user.v1.UserCreated": "3" });
  expect(passings()).toEqual({ ...others, "shop.user.v1.UserCreated": "25" });
});

it("has nothing for a service that no event passes, which never crashes as planned", () => {
  const { startEnv, crashed, crashes } = begun();
  expect(startEnv("gateway")).toEqual({});
  expect(crashed("gateway")).toBe(false);
  expect(crashes.size).toBe(0);
});

it("tells nothing before it begins and after its end; one that was told until then may still crash", () => {
  const plan = createCrashPlan({ farthest: 3, random: () => 0.5 });
  expect(plan.startEnv("user")).toEqual({});
  expect(plan.crashed("user")).toBe(false);
  plan.begin();
  plan.startEnv("user");
  plan.end();
  expect(plan.crashed("user")).toBe(true);
  expect(plan.startEnv("user")).toEqual({});
  expect(plan.crashed("user")).toBe(false);
});
