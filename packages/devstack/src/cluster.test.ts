import { readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Part } from "./infrastructure/part.ts";
import { identify } from "./process/identity.ts";
import { isFree } from "./process/ports.ts";
import { type Stack, type StackRecord, startStack } from "./stack.ts";
import { stackTable } from "./table.ts";
import { createWorkspace, programsOnly, shop } from "./workspace.fixture.ts";

const { root, dataDir } = createWorkspace(shop);
const options = { root, dataDir, ports: "free", services: ["order"], cluster: true, env: programsOnly } as const;

/** What a node answers to a request over NATS's own protocol. */
function ask(node: Part, subject: string, payload: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: Number(new URL(node.url).port) });
    let text = "";
    socket.on("data", (data) => {
      text += data;
      const answer = /^MSG .*\r\n(.*)\r\n/m.exec(text)?.[1];
      if (answer === undefined) return;
      socket.destroy();
      resolve(answer);
    });
    socket.once("error", reject);
    socket.setTimeout(1_000, () => socket.destroy(new Error(`no answer to ${subject}: ${text}`)));
    socket.write(
      `CONNECT {"verbose":false}\r\nSUB answers 1\r\nPUB ${subject} answers ${payload.length}\r\n${payload}\r\n`,
    );
  });
}

describe("a stack with a cluster", () => {
  let stack: Stack;
  let nodes: readonly Part[];
  beforeAll(async () => {
    stack = await startStack(options);
    nodes = stack.infrastructure.nats.nodes ?? [];
  });
  afterAll(async () => {
    await stack.close();
    rmSync(root, { recursive: true, force: true });
  });

  it("tells the services all nodes, and how many copies of a stream there are to be", async () => {
    const { address } = stack.service("order").addresses;
    const told = (await (await fetch(`http://${address}`)).json()) as Record<string, string>;
    expect(told.NATS_URL?.split(",")).toEqual(nodes.map(({ url }) => url));
    expect(told.NATS_REPLICAS).toBe("3");
  });

  it("lists each node in its table and its record", () => {
    expect(stackTable(stack)).toMatch(/nats-1 +127\.0\.0\.1:\d+\n +nats-2 +127\.0\.0\.1:\d+\n +nats-3 /);
    const record = JSON.parse(readFileSync(join(dataDir, "dev.json"), "utf8")) as StackRecord;
    expect(nodes.map(({ name }) => record.infrastructure[name]?.pid)).toEqual(nodes.map(({ pid }) => pid));
    expect(record.infrastructure.nats?.url).toBe(stack.env.NATS_URL);
  });

  it("keeps a stream on all nodes, and what one of them missed it has once it is started again", async () => {
    const [first, second, third] = nodes as [Part, Part, Part];
    const stream = { name: "KEPT", subjects: ["kept"], num_replicas: 3, storage: "file", retention: "limits" };
    const answered = (node: Part, subject: string, payload = "") =>
      expect.poll(async () => JSON.parse(await ask(node, subject, payload)), { timeout: 30_000 });
    await answered(first, "$JS.API.STREAM.CREATE.KEPT", JSON.stringify(stream)).toMatchObject({
      config: { num_replicas: 3 },
    });
    await answered(first, "kept", "one").toMatchObject({ stream: "KEPT" });
    await third.kill("SIGKILL");
    expect(await isFree(Number(new URL(third.url).port))).toBe(true);
    await answered(second, "kept", "two").toMatchObject({ stream: "KEPT" });
    await third.start();
    await first.stop();
    await answered(third, "$JS.API.STREAM.INFO.KEPT").toMatchObject({
      config: { num_replicas: 3 },
      cluster: { replicas: expect.arrayContaining([expect.objectContaining({ current: true })]) },
    });
  }, 90_000);

  it("leaves no process and no port behind", async () => {
    const pids = nodes.map(({ pid }) => pid as number);
    await stack.close();
    expect(pids.map(identify)).toEqual(pids.map(() => undefined));
    expect(await Promise.all(nodes.map(({ url }) => isFree(Number(new URL(url).port))))).toEqual([true, true, true]);
  });

  it("is refused where the environment names a server", async () => {
    const env = { ...programsOnly, NATS_URL: "nats://127.0.0.1:4222" };
    await expect(startStack({ ...options, env })).rejects.toThrow(
      "NATS_URL names a server that is there already: unset it for a cluster of the stack's own.",
    );
  });
});
