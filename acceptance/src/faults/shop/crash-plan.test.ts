import { expect, it } from "vitest";
import { createCrashPlan } from "./crash-plan.ts";

const plan = () => createCrashPlan({ farthest: 3, random: () => 0.5 });

it("gives each start of a service the next of its steps, and begins anew after the last", () => {
  const { startEnv } = plan();
  const starts = Array.from({ length: 5 }, () => startEnv("user").WEFT_CRASH);
  expect(new Set(starts).size).toBe(4);
  expect(starts[0]).toBe("before-commit@shop.user.v1.UserCreated:2");
  expect(starts[4]).toBe(starts[0]);
});

it("counts a crash for the step that the last start was told", () => {
  const { startEnv, crashed, crashes } = plan();
  startEnv("user");
  startEnv("user");
  crashed("user");
  crashed("user");
  expect([...crashes]).toEqual([["user after-commit@shop.user.v1.UserCreated", 2]]);
});

it("has nothing for a service that no event passes", () => {
  const { startEnv, crashed, crashes } = plan();
  expect(startEnv("gateway")).toEqual({});
  crashed("gateway");
  expect(crashes.size).toBe(0);
});
