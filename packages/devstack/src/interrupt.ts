import { identify, isRunning } from "./process/identity.ts";

/** One Ctrl-C reaches us up to three times (the terminal, npm, the wrapper); what comes later is a second one. */
const SAME_KEYPRESS_MS = 1_000;
const LAUNCHER_CHECK_MS = 500;

export interface Interrupt {
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP, and when the process that asked for this one is gone. */
  readonly signal: AbortSignal;
  /** 128 + the signal's number, as shells have it; 0 before. */
  exitCode(): number;
  dispose(): void;
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** `again` is called on a second Ctrl-C, which the user means seriously. */
export function onInterrupt(again: () => void, env: NodeJS.ProcessEnv = process.env): Interrupt {
  const controller = new AbortController();
  let first: { at: number; code: number } | undefined;
  const interrupt = (code: number) => {
    if (first === undefined) {
      first = { at: performance.now(), code };
      controller.abort(new Error("interrupted"));
    } else if (performance.now() - first.at > SAME_KEYPRESS_MS) again();
  };
  const listeners = Object.entries(NUMBERS).map(([name, number]) => {
    const listener = () => interrupt(128 + number);
    process.on(name, listener);
    return [name, listener] as const;
  });
  // Set by bin/weft.mjs: the npm that runs it, and itself where it stays as a wrapper.
  const askers = [env.WEFT_LAUNCHER, env.WEFT_WRAPPER].flatMap((pid) => (pid && identify(Number(pid))) || []);
  const check = setInterval(() => {
    if (!askers.every(isRunning)) interrupt(128 + NUMBERS.SIGHUP);
  }, LAUNCHER_CHECK_MS);
  check.unref();
  return {
    signal: controller.signal,
    exitCode: () => first?.code ?? 0,
    dispose() {
      clearInterval(check);
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
