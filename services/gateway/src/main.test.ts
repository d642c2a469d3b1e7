import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Health, ServingStatus } from "@weft/contracts";
import { afterEach, beforeEach, expect, test } from "vitest";

let gateway: ChildProcessByStdio<null, Readable, null>;
let log: AsyncIterator<string>;

/** The gateway as it is started everywhere, on free ports. */
beforeEach(() => {
  const { REDIS_URL } = process.env;
  if (REDIS_URL === undefined) throw new Error("REDIS_URL is not set: run `npm test`, or give a Redis of your own.");
  const main = new URL("./main.ts", import.meta.url).pathname;
  const env = { ...process.env, REDIS_URL, HTTP_PORT: "0", GRPC_PORT: "0", WEFT_DRAIN_MS: "1000" };
  gateway = spawn(process.execPath, ["--conditions=source", main], { env, stdio: ["ignore", "pipe", "inherit"] });
  log = createInterface({ input: gateway.stdout })[Symbol.asyncIterator]();
});
afterEach(() => void gateway.kill("SIGKILL"));

async function line(message: string): Promise<Record<string, string>> {
  for (let at = await log.next(); !at.done; at = await log.next()) {
    const fields = JSON.parse(at.value) as Record<string, string>;
    if (fields.msg === message) return fields;
  }
  throw new Error(`the gateway ended before it said "${message}"`);
}

test("it opens both ports, answers while no service is there, and stops on SIGTERM", async () => {
  const { http, grpc } = await line("ready");
  const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${grpc}` }));
  expect((await health.check({})).status).toBe(ServingStatus.SERVING);
  expect((await fetch(`http://${http}/v1/nothing`)).status).toBe(404);

  const ended = once(gateway, "exit");
  gateway.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  await expect(fetch(`http://${http}/v1/nothing`)).rejects.toThrow();
});
