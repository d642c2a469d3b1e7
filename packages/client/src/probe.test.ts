import { createCall, currentCall, runWithCall } from "@weft/context";
import { expect, test } from "vitest";
import { createProbe } from "./probe.ts";

test("it asks on behalf of no call, neither at once nor later", async () => {
  const seen: unknown[] = [];
  const there = Promise.withResolvers<void>();
  const probe = createProbe({
    async ask() {
      seen.push(currentCall());
      if (seen.length < 2) throw new Error("nobody answers");
    },
    onThere: there.resolve,
    onGone() {},
    random: () => 0,
  });
  runWithCall(createCall({ deadline: performance.now() + 60_000 }), () => probe.start());
  await there.promise;
  expect(seen).toEqual([undefined, undefined]);
});
