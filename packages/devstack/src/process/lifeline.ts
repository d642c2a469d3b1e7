/**
 * Imported before a supervised Node program (`node --import lifeline.ts`): file descriptor 3 is the end of a pipe that
 * the supervisor holds, so it ends when the supervisor dies, however it dies. The program is then asked to stop as by a
 * user, and made to after ten seconds.
 */
import { Socket } from "node:net";

const STOP_WITHIN_MS = 10_000;

const lifeline = new Socket({ fd: 3, readable: true, writable: false });
lifeline.on("error", () => {});
lifeline.once("close", () => {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.kill(process.pid, "SIGKILL"), STOP_WITHIN_MS).unref();
});
lifeline.resume();
// It must not keep a program running that has nothing else to do.
lifeline.unref();
