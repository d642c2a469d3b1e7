import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { startProgram } from "@weft/testkit";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = resolve(import.meta.dirname, "..");

interface Provider {
  readonly command: readonly [entry: string];
  readonly environment: Readonly<Record<"HTTP_PORT" | "DATA_DIR", string>> & Readonly<Record<string, string>>;
  readonly healthcheck: { readonly test: readonly string[] };
}

test("the payment provider, started as its container starts it, passes the container's health check", async () => {
  const { services } = parse(readFileSync(resolve(root, "docker-compose.yml"), "utf8"), { merge: true }) as {
    services: { "payment-provider": Provider };
  };
  const { command, environment, healthcheck } = services["payment-provider"];
  // A free port and a folder of the test's own stand in for the container's.
  const { HTTP_PORT, DATA_DIR: _, ...env } = environment;
  const program = await startProgram({ entry: resolve(root, command[0]), readyPath: "/refunds", env });
  try {
    const { port } = new URL(program.url);
    const [, , ...args] = healthcheck.test.map((word) => word.replaceAll(HTTP_PORT, port));
    await expect(promisify(execFile)(process.execPath, args)).resolves.toBeDefined();
  } finally {
    await program.stop();
  }
});
