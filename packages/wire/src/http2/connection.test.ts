import { once } from "node:events";
import * as http2 from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ConnectionOptions, Http2Connection } from "./connection.ts";
import { meshLimits } from "./limits.ts";
import { errorCode } from "./protocol.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";

// Against Node's own HTTP/2, which is nghttp2, at the other end.

const resources: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of resources.reverse()) await close();
  resources.length = 0;
});

/** What a request or a response consists of. */
interface Message {
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

/** Collects what the peer sends on a stream; rejects when it is reset. */
function collect(stream: () => Http2Stream, fields: readonly string[] = []) {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const pieces: Buffer[] = [];
  let [head, trailers] = [fields, [] as readonly string[]];
  const handler: StreamHandler = {
    onHeaders(list) {
      head = list;
    },
    onData(bytes, start, end) {
      pieces.push(Buffer.from(bytes.subarray(start, end)));
      stream().consume(end - start);
    },
    onTrailers(list) {
      trailers = list;
    },
    onEnd: () => resolve({ fields: head, body: Buffer.concat(pieces), trailers }),
    onReset: (code, reason) => reject(Object.assign(new Error(reason), { code })),
    onDrained() {},
  };
  promise.catch(() => {});
  return { handler, message: promise };
}

/** A server of ours that answers each request as told; a client of Node's. */
async function serve(
  answer: (stream: Http2Stream, request: Message) => void,
  options: Partial<ConnectionOptions> = {},
) {
  const connections: Http2Connection[] = [];
  const streams: Http2Stream[] = [];
  const resets: unknown[] = [];
  const server = createServer((socket) => {
    const connection = new Http2Connection({
      role: "server",
      socket,
      handler: {
        onStream(stream, _head, fields) {
          streams.push(stream);
          const { handler, message } = collect(() => stream, fields);
          message.then(
            (request) => answer(stream, request),
            () => {},
          );
          const onReset: StreamHandler["onReset"] = (code, reason) => {
            resets.push(code);
            handler.onReset(code, reason);
          };
          return { ...handler, onReset };
        },
        onClose() {},
      },
      ...options,
    });
    connections.push(connection);
    resources.push(() => connection.destroy());
  }).listen(0, "127.0.0.1");
  resources.push(() => server.close());
  await once(server, "listening");
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { maxSessionMemory: 100 });
  client.on("error", () => {});
  resources.push(() => client.destroy());
  return { client, connections, resets, streams };
}

/** A server of Node's, and a client of ours. */
async function dial(
  answer: (stream: http2.ServerHttp2Stream, path: string) => void,
  options: http2.ServerOptions = {},
) {
  const server = http2.createServer(options).on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    answer(stream, String(headers[":path"]));
  });
  server.listen(0, "127.0.0.1");
  resources.push(() => server.close());
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(socket, "connect");
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<Error | undefined>();
  const client = new Http2Connection({ role: "client", socket, handler: { onRoom: resolve, onClose: close } });
  resources.push(() => client.destroy());
  await ready;
  return { client, closed, server };
}

const base = [":method", "POST", ":scheme", "http", ":authority", "weft"];

function request(client: Http2Connection, path: string, body?: Uint8Array) {
  const { handler, message } = collect(() => stream);
  const stream: Http2Stream = client.request(handler, base, [":path", path], body === undefined);
  if (body !== undefined) stream.sendData(body, true);
  return { stream, message };
}

async function fetch(client: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body = Buffer.alloc(0)) {
  const stream = client.request({ ":method": "POST", ":path": "/", ...headers });
  stream.on("error", () => {});
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (list) => {
    trailers = list;
  });
  const answered = once(stream, "response");
  stream.end(body);
  const [response] = (await answered) as [http2.IncomingHttpHeaders];
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return { response, body: Buffer.concat(pieces), trailers };
}

const echo = (stream: Http2Stream, { body }: Message): void => {
  stream.sendHeaders([":status", "200", "content-type", "application/grpc"], []);
  if (body.length > 0) stream.sendData(body);
  stream.sendTrailers(["grpc-status", "0"]);
};

const sizes = [0, 1, 5, 16_384, 16_385, 65_535, 1_000_000, 4 * 1024 * 1024];

describe("a server", () => {
  it("answers bodies of all sizes, with trailers, many streams at once", async () => {
    const { client } = await serve(echo);
    const bodies = [...sizes, ...sizes].map((size, i) => Buffer.alloc(size, i + 1));
    const answers = await Promise.all(bodies.map((body) => fetch(client, {}, body)));
    for (const [i, { response, body, trailers }] of answers.entries()) {
      expect(response[":status"]).toBe(200);
      expect(body.equals(bodies[i] as Buffer)).toBe(true);
      expect(trailers["grpc-status"]).toBe("0");
    }
  });

  it("answers a thousand requests one after the other", async () => {
    const { client } = await serve(echo);
    for (let n = 0; n < 1_000; n++) await fetch(client, { "x-n": `${n}` });
  });

  it("is told when the client cancels", async () => {
    const { client, resets, streams } = await serve(() => {});
    const stream = client.request({ ":method": "POST", ":path": "/" });
    stream.on("error", () => {});
    await expect.poll(() => streams).toHaveLength(1);
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await expect.poll(() => resets).toEqual([errorCode.cancel]);
  });

  it("has no more streams at once than it allows, and takes others when there is room again", async () => {
    const { client, streams } = await serve((stream) => stream.sendHeaders([":status", "204"], [], true), {
      limits: { ...meshLimits, maxConcurrentStreams: 2 },
    });
    await once(client, "remoteSettings");
    const open = [1, 2, 3].map(() => client.request({ ":method": "POST", ":path": "/" }));
    const answers = open.map((stream) => once(stream, "response"));
    await expect.poll(() => streams).toHaveLength(2);
    for (const stream of open) stream.end();
    for (const [headers] of await Promise.all(answers)) expect(headers[":status"]).toBe(204);
    expect(streams).toHaveLength(3);
  });

  it("refuses a stream that its client opened before it knew the limit", async () => {
    const { client, streams } = await serve(echo, { limits: { ...meshLimits, maxConcurrentStreams: 1 } });
    const [kept, refused] = [1, 2].map(() => client.request({ ":method": "POST", ":path": "/" }));
    refused?.on("error", () => {});
    await expect.poll(() => refused?.closed).toBe(true);
    expect(refused?.rstCode).toBe(errorCode.refusedStream);
    expect(streams).toHaveLength(1);
    kept?.end();
    expect((await fetch(client, {})).response[":status"]).toBe(200);
  });

  it.each([
    ["a path without a slash", { ":path": "a" }, errorCode.protocolError],
    ["a header list that is too large", { "x-large": "v".repeat(20_000) }, errorCode.enhanceYourCalm],
  ])("resets a request with %s, and serves the next one", async (_, headers, code) => {
    const { client } = await serve(echo);
    const stream = client.request({ ":method": "POST", ":path": "/", ...headers });
    stream.on("error", () => {});
    await expect.poll(() => stream.closed).toBe(true);
    expect(stream.rstCode).toBe(code);
    expect((await fetch(client, {})).response[":status"]).toBe(200);
  });

  it("lets what is open end when it drains, and then ends the connection", async () => {
    const waiting: Http2Stream[] = [];
    const { client, connections } = await serve((stream) => void waiting.push(stream));
    const answer = fetch(client, {});
    await expect.poll(() => waiting).toHaveLength(1);
    const closed = once(client, "close");
    connections[0]?.drain();
    await once(client, "goaway");
    waiting[0]?.sendHeaders([":status", "204"], [], true);
    expect((await answer).response[":status"]).toBe(204);
    await closed;
  });

  it("answers what is no HTTP/2 with the end of the connection", async () => {
    const { client } = await serve(echo);
    await once(client, "connect");
    const raw = connect((client.socket as import("node:net").Socket).remotePort as number, "127.0.0.1");
    raw.write("GET / HTTP/1.1\r\nhost: weft\r\n\r\n");
    raw.resume();
    await once(raw, "close");
    expect((await fetch(client, {})).response[":status"]).toBe(200);
  });
});

describe("a client", () => {
  const echoes = (stream: http2.ServerHttp2Stream): void => {
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.pipe(stream);
  };

  it("sends and takes bodies of all sizes, with trailers, many streams at once", async () => {
    const { client } = await dial(echoes);
    const bodies = [...sizes, ...sizes].map((size, i) => Buffer.alloc(size, i + 1));
    const answers = await Promise.all(bodies.map((body) => request(client, "/echo", body).message));
    for (const [i, { fields, body, trailers }] of answers.entries()) {
      expect(fields.slice(0, 2)).toEqual([":status", "200"]);
      expect(body.equals(bodies[i] as Buffer)).toBe(true);
      expect(trailers).toEqual(["grpc-status", "0"]);
    }
  });

  it("is told of a reset, and goes on", async () => {
    const { client } = await dial((stream, path) => {
      if (path === "/reset") stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else echoes(stream);
    });
    await expect(request(client, "/reset").message).rejects.toMatchObject({ code: errorCode.refusedStream });
    expect((await request(client, "/echo").message).trailers).toEqual(["grpc-status", "0"]);
  });

  it("has only as much room as the server allows", async () => {
    const open: http2.ServerHttp2Stream[] = [];
    const { client } = await dial((stream) => void open.push(stream), { settings: { maxConcurrentStreams: 2 } });
    expect(client.room).toBe(2);
    const answers = [request(client, "/"), request(client, "/")];
    expect(client.room).toBe(0);
    expect(() => request(client, "/")).toThrow("no room for another stream");
    await expect.poll(() => open).toHaveLength(2);
    for (const stream of open) stream.respond({ ":status": 204 }, { endStream: true });
    await Promise.all(answers.map(({ message }) => message));
    expect(client.room).toBe(2);
  });

  it("stops sending while the server doesn't read, and goes on with it", async () => {
    const { promise: paused, resolve } = Promise.withResolvers<http2.ServerHttp2Stream>();
    const { client } = await dial((stream) => {
      stream.respond({ ":status": 200 });
      resolve(stream);
    });
    const { stream, message } = request(client, "/", Buffer.alloc(4 * 1024 * 1024, 1));
    const server = await paused;
    await expect.poll(() => stream.queuedBytes).toBeLessThan(4 * 1024 * 1024);
    expect(stream.queuedBytes).toBeGreaterThan(3 * 1024 * 1024);
    let octets = 0;
    server.on("data", (piece: Buffer) => {
      octets += piece.length;
    });
    server.on("end", () => server.end());
    await message;
    expect(octets).toBe(4 * 1024 * 1024);
    expect(stream.queuedBytes).toBe(0);
  });

  it("says when it has to wait, and once when that is over", async () => {
    const { client } = await dial((stream) => {
      stream.respond({ ":status": 200 });
      stream.resume();
      stream.on("end", () => stream.end());
    });
    let drained = 0;
    const { handler, message } = collect(() => stream);
    const onDrained = () => {
      drained += 1;
    };
    const stream: Http2Stream = client.request({ ...handler, onDrained }, base, [":path", "/"]);
    expect(stream.sendData(Buffer.alloc(10))).toBe(true);
    expect(stream.sendData(Buffer.alloc(1_000_000))).toBe(false);
    await expect.poll(() => stream.queuedBytes).toBe(0);
    expect(stream.sendData(Buffer.alloc(10), true)).toBe(true);
    await message;
    expect(drained).toBe(1);
  });

  it("loses its streams with the connection, which leaves no code", async () => {
    const { client, closed } = await dial((stream) => void stream.session?.socket.destroy());
    await expect(request(client, "/").message).rejects.toMatchObject({ code: undefined });
    expect((await closed)?.message).toMatch(/ended|lost|ECONNRESET/);
    expect(client.room).toBe(0);
  });
});
