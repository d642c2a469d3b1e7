import { createServer, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { wasNeverProcessed } from "./index.ts";
import { clientOf, closeAll, closing, type ProbeClient, serveProbe } from "./testing/probe.ts";

afterEach(closeAll);

/** A server that does as it is told with the first stream of each connection. */
async function serveRaw(onStream: (session: ServerHttp2Session) => void): Promise<number> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => void sessions.add(session.on("error", () => {})));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    onStream(stream.session as ServerHttp2Session);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing(() => {
    for (const session of sessions) session.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

async function unusedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => {
      throw new Error("the call did not fail");
    },
    (error: unknown) => error as ConnectError,
  );
}

async function readAll(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages);
}

/** Both shapes of a call, to where it is asked to go. */
const shapes: readonly [shape: string, call: (client: ProbeClient, signal?: AbortSignal) => Promise<unknown>][] = [
  ["unary call", (client, signal) => client.ask({}, signal && { signal })],
  ["stream", (client, signal) => readAll(client.watch({}, signal && { signal }))],
];

describe.each(shapes)("a %s", (_, call) => {
  it("that its own signal ended is CANCELED, with the signal's reason", async () => {
    const arrived = Promise.withResolvers<void>();
    const hang = async (): Promise<never> => {
      arrived.resolve();
      return new Promise<never>(() => {});
    };
    const watch = async function* (): AsyncGenerator<object> {
      yield hang();
    };
    const { port } = await serveProbe({ ask: hang, watch });
    const controller = new AbortController();
    const failed = errorOf(call(clientOf(port), controller.signal));
    await arrived.promise;
    // What the connection reports of its own loss, so that the words alone say nothing about whose doing it was.
    const reason = Object.assign(new Error("the http/2 stream was closed"), { code: "ERR_HTTP2_STREAM_CANCEL" });
    controller.abort(reason);
    const error = await failed;
    expect(error.code).toBe(Code.Canceled);
    expect(error.cause).toBe(reason);
    expect(wasNeverProcessed(error)).toBe(false);
  });

  it("to a port where nobody listens is UNAVAILABLE, and was never processed", async () => {
    const error = await errorOf(call(clientOf(await unusedPort())));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toBe("the call did not reach the server");
    expect(wasNeverProcessed(error)).toBe(true);
  });

  it("whose connection dies under it is UNAVAILABLE, and may have been processed", async () => {
    const port = await serveRaw((session) => session.destroy());
    const error = await errorOf(call(clientOf(port)));
    expect(error.code).toBe(Code.Unavailable);
    expect(error.rawMessage).toBe("the connection was lost during the call");
    expect(wasNeverProcessed(error)).toBe(false);
  });

  it.each([
    ["CANCELLED", Code.Canceled, "the stream was closed"],
    ["INTERNAL", Code.Internal, "ECONNREFUSED by whom I asked"],
  ])("that the server answered with %s keeps it, whatever its words", async (_name, code, message) => {
    const refuse = (): never => {
      throw new ConnectError(message, code);
    };
    const watch = async function* (): AsyncGenerator<object> {
      yield refuse();
    };
    const { port } = await serveProbe({ ask: refuse, watch });
    const error = await errorOf(call(clientOf(port)));
    expect([error.code, error.rawMessage]).toEqual([code, message]);
    expect(wasNeverProcessed(error)).toBe(false);
  });
});
