import type { FaultPoint, Faults } from "@weft/store";
import { SettingsError } from "./settings.ts";

const points: readonly string[] = [
  "before-commit",
  "after-commit",
  "before-publish",
  "after-publish",
  "before-effect",
  "after-effect",
  "before-ack",
] satisfies FaultPoint[];

interface CrashPoint {
  readonly point: string;
  /** The event's full name; undefined for any. */
  readonly subject: string | undefined;
  /** Passings that are left. */
  left: number;
}

/**
 * A crash drill for processes that a supervisor starts again: kills the process with -9 when it passes a point for the n-th time.
 * "before-ack:5,after-commit@shop.order.v1.OrderCreated:2" names points, each with an event if only that one counts.
 * Throws SettingsError for what names no point.
 */
export function crashPoints(text: string, kill: () => void = killItself): Faults {
  const crashes = text.split(",").map(parse);
  return (point, { subject }) => {
    for (const crash of crashes) {
      if (crash.point !== point || (crash.subject !== undefined && crash.subject !== subject)) continue;
      crash.left -= 1;
      if (crash.left === 0) kill();
    }
  };
}

function parse(text: string): CrashPoint {
  const [, point = "", subject, count = "1"] = /^\s*([\w-]+)(?:@([\w.]+))?(?::([1-9]\d*))?\s*$/.exec(text) ?? [];
  if (!points.includes(point)) {
    throw new SettingsError(
      `WEFT_CRASH: "${text}" is not a point[@event][:n], where point is one of ${points.join(", ")}`,
    );
  }
  return { point, subject, left: Number(count) };
}

function killItself(): void {
  process.kill(process.pid, "SIGKILL");
}
