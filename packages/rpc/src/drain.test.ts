import { once } from "node:events";
import { Agent, request } from "node:http";
import { afterEach, expect, it } from "vitest";
import { clientOf, closeAll, closing, serveProbe } from "./testing/probe.ts";
import { frame, RawClient } from "./testing/raw-client.ts";

afterEach(closeAll);

it("lets running calls end over HTTP/2 and HTTP/1.1, and then every connection, idle ones too", async () => {
  const answer = Promise.withResolvers<void>();
  let running = 0;
  const server = await serveProbe({
    async ask({ value }) {
      running += 1;
      if (value === "wait") await answer.promise;
      return { value };
    },
  });
  const agent = new Agent({ keepAlive: true });
  closing(() => agent.destroy());
  const post = async (value: string): Promise<string> => {
    const sent = request({
      agent,
      port: server.port,
      host: "127.0.0.1",
      method: "POST",
      path: "/weft.rpc.test.Probe/Ask",
      headers: { "content-type": "application/json" },
    });
    sent.end(JSON.stringify(value));
    const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
    return String(await once(response, "data"));
  };
  const idle = clientOf(server.port);
  await idle.ask({ value: "idle" });
  await Promise.all([post("first"), post("second")]);
  const calls = [
    clientOf(server.port)
      .ask({ value: "wait" })
      .then(({ value }) => value),
    post("wait"),
  ];
  await expect.poll(() => running).toBe(5);

  let isDrained = false;
  const drained = server.drain().then(() => {
    isDrained = true;
  });
  await expect(clientOf(server.port).ask({})).rejects.toThrow("the call did not reach the server");
  expect(isDrained).toBe(false);
  answer.resolve();
  expect(await Promise.all(calls)).toEqual(["wait", '"wait"']);
  await drained;
});

it("tells those too who were connected and had said nothing", async () => {
  const server = await serveProbe({ ask: ({ value }) => ({ value }) });
  const raw = await RawClient.dial(server.port);
  // The server knows of it when another call was answered.
  await clientOf(server.port).ask({});
  const drained = server.drain();
  raw.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
  raw.frame(frame.settings, 0, 0);
  expect(await raw.goaway()).toBe(0);
  raw.socket.end();
  await drained;
});
