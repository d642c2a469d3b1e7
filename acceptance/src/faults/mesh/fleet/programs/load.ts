import { setTimeout as sleep } from "node:timers/promises";
import { codeName } from "@weft/rpc";
import { machineNow } from "../machine-clock.ts";
import type { Call, Load, MethodName } from "./orders.ts";
import { seeded } from "./seeded.ts";

/** One call; resolves with who answered. */
type CallOnce = (call: string, options: { readonly timeoutMs?: number }) => Promise<{ readonly instance: string }>;

/** Calls as the load says and resolves when the last one has ended. */
export async function runLoad(
  { perSecond, forMs, methods, timeoutMs, seed }: Load,
  calls: Readonly<Record<MethodName, CallOnce>>,
): Promise<{ readonly calls: readonly Call[]; readonly errors: Readonly<Record<string, string>> }> {
  const random = seeded(seed);
  const seen: Call[] = [];
  const errors: Record<string, string> = {};
  const running: Promise<void>[] = [];
  const options = timeoutMs === undefined ? {} : { timeoutMs };

  async function callOne(): Promise<void> {
    const method = methods[Math.floor(random() * methods.length)] ?? "read";
    const id = `${seed}-${running.length}`;
    const startedAt = machineNow();
    const note = (outcome: Call["outcome"], instance: string | undefined): void =>
      void seen.push({ id, method, startedAt, tookMs: machineNow() - startedAt, outcome, instance });
    try {
      const { instance } = await calls[method](id, options);
      note("OK", instance);
    } catch (error) {
      const code = codeName(error);
      errors[code] ??= String(error);
      note(code, undefined);
    }
  }

  const startedAt = machineNow();
  for (let due = 0; due < forMs; due += (-Math.log(1 - random()) * 1_000) / perSecond) {
    const early = startedAt + due - machineNow();
    if (early > 0) await sleep(early);
    running.push(callOne());
  }
  await Promise.all(running);
  return { calls: seen.toSorted((a, b) => a.startedAt - b.startedAt), errors };
}
