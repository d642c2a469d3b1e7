import { expect, test } from "vitest";
import type { Run } from "../process/programs.ts";
import { createApt } from "./apt.ts";

/** An apt-get that answers in turn, and fails when it is called while it runs. */
function aptGet(answers: readonly { code: number; stderr: string }[] = []) {
  const calls: string[] = [];
  let running = 0;
  const left = [...answers];
  const run: Run = async (_command, args) => {
    running += 1;
    await new Promise((resolve) => setImmediate(resolve));
    const busy = running > 1;
    running -= 1;
    calls.push(args.slice(2).join(" "));
    if (busy) return { code: 100, stdout: "", stderr: "two at once" };
    return { stdout: "", ...(left.shift() ?? { code: 0, stderr: "" }) };
  };
  return { calls, run };
}

test("two packages that are wanted at once are installed one after the other, after one update", async () => {
  const { calls, run } = aptGet();
  const apt = createApt();
  await Promise.all([apt.install(["nats-server"], {}, run), apt.install(["redis-server"], {}, run)]);
  expect(calls).toEqual([
    "update",
    "install --yes --no-install-recommends nats-server",
    "install --yes --no-install-recommends redis-server",
  ]);
});

test("another apt-get that has the lock is waited for", async () => {
  const locked = { code: 100, stderr: "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1" };
  const { calls, run } = aptGet([locked, locked]);
  await createApt(1).install(["nats-server"], {}, run);
  expect(calls.filter((call) => call === "update")).toHaveLength(3);
});

test("what apt-get says is the error, and doesn't keep the next install from its turn", async () => {
  const { run } = aptGet([
    { code: 0, stderr: "" },
    { code: 100, stderr: "E: Unable to locate package nats-server" },
  ]);
  const apt = createApt();
  const failed = apt.install(["nats-server"], {}, run);
  const next = apt.install(["redis-server"], {}, run);
  await expect(failed).rejects.toThrow(/install .*nats-server failed \(code 100\):\nE: Unable to locate/);
  await next;
});
