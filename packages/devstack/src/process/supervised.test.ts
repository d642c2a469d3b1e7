import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { Ledger } from "./ledger.ts";
import { createSupervised, type StateDetail, type Supervised, type SupervisedOptions } from "./supervised.ts";

const ledger: Ledger = { add() {}, remove() {}, stopping() {}, release() {} };
const killsItself = "kill -9 $$";
const staysUp = "exec sleep 60";

let folder: string;
let supervised: Supervised | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "weft-supervised-"));
});
afterEach(async () => {
  await supervised?.stop();
  rmSync(folder, { recursive: true });
});

interface Told {
  readonly states: string[];
  readonly crashes: StateDetail[];
}

/** Each start runs the next of the scripts, the last one again and again. It serves as soon as it runs, if nothing else is said. */
function supervise(scripts: readonly string[], options: Partial<SupervisedOptions> = {}) {
  const told: Told = { states: [], crashes: [] };
  let starts = 0;
  const made = createSupervised({
    name: "it",
    ledger,
    restart: "never",
    launch() {
      const script = scripts[Math.min(starts++, scripts.length - 1)] ?? "";
      const output = { file: join(folder, "log") };
      return { command: "/bin/sh", args: ["-c", script], cwd: folder, env: {}, orphan: "pipe", output };
    },
    serves: async () => {},
    ...options,
    onState(state, detail) {
      told.states.push(state);
      if (state === "crashed") told.crashes.push(detail);
      options.onState?.(state, detail);
    },
  });
  supervised = made;
  return { supervised: made, told };
}

/** Never served before it is gone. */
const never: SupervisedOptions["serves"] = (_child, signal) =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

it("tells how a process ended by itself", async () => {
  const { supervised, told } = supervise([killsItself], { serves: never });
  await expect(supervised.start()).rejects.toThrow("it ended by SIGKILL before it was ready");
  expect(told.crashes).toEqual([{ exit: { code: null, signal: "SIGKILL" } }]);
});

it("tells of no end of its own when a process was ended since it never got ready", async () => {
  const { supervised, told } = supervise([staysUp], { serves: never, readyTimeoutMs: 50 });
  await expect(supervised.start()).rejects.toThrow("it did not get ready in 0.05 s");
  expect(told.crashes).toEqual([{}]);
});

it("keeps the start that it is given when it is told of a crash", async () => {
  const again = Promise.withResolvers<void>();
  const { supervised, told } = supervise([staysUp], {
    onState: (state) => void (state === "crashed" && supervised.start().then(again.resolve, again.reject)),
  });
  await supervised.start();
  process.kill(supervised.pid as number, "SIGKILL");
  await again.promise;
  await supervised.ready;
  expect(told.states).toEqual(["starting", "ready", "crashed", "starting", "ready"]);
});

it("keeps the start that it is given when it is told of one that failed", async () => {
  let served = 0;
  const again = Promise.withResolvers<void>();
  const { supervised, told } = supervise([killsItself, staysUp], {
    serves: (child, signal) => (served++ === 0 ? never(child, signal) : Promise.resolve()),
    onState: (state) => void (state === "crashed" && supervised.start().then(again.resolve, again.reject)),
  });
  await expect(supervised.start()).rejects.toThrow("it ended by SIGKILL before it was ready");
  await again.promise;
  expect(told.states).toEqual(["starting", "crashed", "starting", "ready"]);
});

it("is not started a second time by its own retry when it is started at once", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { supervised, told } = supervise([staysUp], {
    restart: "always",
    onState: (state) => void (state === "crashed" && supervised.start()),
  });
  await supervised.start();
  process.kill(supervised.pid as number, "SIGKILL");
  await expect.poll(() => told.states).toEqual(["starting", "ready", "crashed", "starting", "ready"]);
  expect(vi.getTimerCount()).toBe(0);
});
