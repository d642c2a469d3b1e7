import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Code, ConnectError } from "@connectrpc/connect";
import { Health, ServingStatus } from "@weft/contracts";
import { createMemoryRegistry } from "@weft/registry";
import { expect, onTestFinished, test } from "vitest";
import { createMesh } from "./index.ts";
import { createHarness, policies } from "./testing/harness.ts";

test("a server that is killed in the middle of a call is UNAVAILABLE, whatever Node's HTTP/2 calls it", async () => {
  const program = fileURLToPath(new URL("./testing/hanging-server.ts", import.meta.url));
  const server = spawn(process.execPath, ["--conditions=source", program], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void server.kill("SIGKILL"));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const port = Number(String((await lines.next()).value).split(" ")[1]);
  const registry = createMemoryRegistry();
  await registry.register({ service: Health.typeName, instance: "a", host: "127.0.0.1", port, metadata: {} });
  const mesh = createMesh({ service: "test", registry });
  const call = mesh
    .client(Health, policies({ retry: undefined }))
    .check({})
    .catch((error: unknown) => error);
  expect((await lines.next()).value).toBe("called");
  server.kill("SIGKILL");
  await once(server, "exit");
  expect(ConnectError.from(await call).code).toBe(Code.Unavailable);
  await mesh.close();
  await registry.close();
});

test("a call that meets a server on its way out goes to another one, though it may not be repeated", async () => {
  await using harness = createHarness();
  const serving = { status: ServingStatus.SERVING };
  const first = await harness.start("a", { check: () => serving });
  const mesh = createMesh({ service: "test", registry: harness.registry });
  const client = mesh.client(Health, policies({ retry: undefined, idempotent: false }));
  await client.check({});
  await harness.start("b", { check: () => serving });
  // Still in the registry, but it takes no new call.
  await first.listener.drain();
  for (let i = 0; i < 10; i++) expect(await client.check({})).toMatchObject(serving);
  await mesh.close();
});
