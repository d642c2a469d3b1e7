import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

test("a process whose log nobody reads any more goes on, and can still exit", async () => {
  const program = fileURLToPath(new URL("./testing/log-and-exit.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=source", program], { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stderr, "data");
  await once(child.stdout, "data");
  child.stdout.destroy();
  await sleep(100);
  expect(child.exitCode).toBeNull();
  child.stdin.write("exit\n");
  const [code] = await once(child, "exit");
  expect(code).toBe(7);
});
