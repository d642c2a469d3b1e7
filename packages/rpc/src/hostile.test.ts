import { once } from "node:events";
import { request as http1 } from "node:http";
import http2 from "node:http2";
import { connect as tcp } from "node:net";
import { connect as tls } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { edgeLimits, meshLimits } from "@weft/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Listener, ListenerOptions } from "./index.ts";
import { certificate } from "./testing/certificate.ts";
import { clientOf, closeAll, closing, type ProbeClient, type ProbeHandlers, serveProbe } from "./testing/probe.ts";
import { block, envelope, flag, frame, grpcFields, RawClient, rawFrame } from "./testing/raw-client.ts";

// What a server answers to hostile and malformed input. In each test a neighbour goes on calling, and what was held for the input is gone
// afterwards.

const service = "/weft.rpc.test.Probe";
const [ask, watch, nest] = [`${service}/Ask`, `${service}/Watch`, `${service}/Nest`];
const mebibyte = 1024 * 1024;
const code = { invalid: 3, deadline: 4, exhausted: 8, unimplemented: 12, internal: 13 };
const h2 = { protocol: 1, flow: 3, closed: 5, refused: 7, cancel: 8, compression: 9, calm: 11 };

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let started = 0;
let running = 0;
let mostRunning = 0;
let server: Listener;
let neighbour: ProbeClient;
let secret = "";

const handlers: ProbeHandlers = {
  async ask({ value }, { signal }) {
    started += 1;
    running += 1;
    mostRunning = Math.max(mostRunning, running);
    try {
      if (value === "throw") throw new Error(secret);
      if (value === "hang") await once(signal, "abort");
      return { value };
    } finally {
      running -= 1;
    }
  },
  async *watch({ value }) {
    for (;;) yield { value: value || "x".repeat(60_000) };
  },
  nest: () => ({ value: "" }),
};

async function serve(options: Partial<ListenerOptions> = {}): Promise<number> {
  server = await serveProbe(handlers, options);
  neighbour = clientOf(server.port);
  await neighbour.ask({ value: "before" });
  return server.port;
}

let held = 0;
let calling: NodeJS.Timeout | undefined;

function memory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

beforeEach(() => {
  [started, running, mostRunning, secret] = [0, 0, 0, "the password is tulip"];
  held = memory();
});

afterEach(async () => {
  clearInterval(calling);
  expect((await neighbour.ask({ value: "after" })).value).toBe("after");
  // What was allocated for the test's own input goes with one of the next collections.
  await expect.poll(() => memory() - held, { timeout: 5_000 }).toBeLessThan(32 * mebibyte);
  await closeAll();
});

interface Answer {
  readonly status: number;
  /** gRPC's code, from the trailers or a Trailers-Only response. */
  readonly code: number | undefined;
  readonly message: string;
  readonly fields: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request by Node's HTTP/2, with whatever body. */
async function post(path: string, more: Readonly<Record<string, string>>, body: readonly Buffer[]): Promise<Answer> {
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  closing(() => session.destroy());
  session.on("error", () => {});
  const stream = session.request(Object.fromEntries(grpcFields(path, more)), { endStream: body.length === 0 });
  let fields: http2.IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  stream.on("response", (headers) => (fields = { ...fields, ...headers }));
  stream.on("trailers", (trailers) => (fields = { ...fields, ...trailers }));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => {});
  for (const chunk of body) stream.write(chunk);
  if (body.length > 0) stream.end();
  await once(stream, "close");
  const status = fields["grpc-status"];
  return {
    status: Number(fields[":status"]),
    code: status === undefined ? undefined : Number(status),
    message: decodeURIComponent(String(fields["grpc-message"] ?? "")),
    fields,
    body: Buffer.concat(chunks),
  };
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([10, value.length]), Buffer.from(value)]);
const hello = envelope(text("hello"));
const gzip = { "grpc-encoding": "gzip" };

describe("an RPC server answers", () => {
  it.each<[row: string, path: string, more: Record<string, string>, body: Buffer[], code: number]>([
    ["1: a length of 4 GiB with a tiny body", ask, {}, [Buffer.from("00ffffffff01", "hex")], code.exhausted],
    ["2: a gzip bomb", ask, gzip, [envelope(gzipSync(Buffer.alloc(64 * mebibyte)), 1)], code.exhausted],
    ["4: corrupt gzip", ask, gzip, [envelope(Buffer.from("not gzip at all"), 1)], code.internal],
    ["5: an unknown encoding", ask, { "grpc-encoding": "snappy" }, [hello], code.unimplemented],
    ["6: a compressed message without an encoding", ask, {}, [envelope(gzipSync(text("hello")), 1)], code.internal],
    ["7: reserved flags", ask, {}, [envelope(text("hello"), 0x40)], code.internal],
    ["8: a truncated envelope", ask, {}, [hello.subarray(0, 9)], code.internal],
    ["8: a truncated prefix", ask, {}, [hello.subarray(0, 3)], code.internal],
    ["9: no message on a unary call", ask, {}, [], code.unimplemented],
    ["9: no message on a server stream", watch, {}, [], code.unimplemented],
    ["10: two messages on a unary call", ask, {}, [hello, hello], code.unimplemented],
    ["10: two messages on a server stream", watch, {}, [hello, hello], code.unimplemented],
    ["11: garbage", ask, {}, [envelope(Buffer.from("ffffffffff", "hex"))], code.internal],
    ["12: invalid UTF-8", ask, {}, [envelope(Buffer.from("0a02c328", "hex"))], code.internal],
    ["13: nesting 3,000 deep", nest, {}, [envelope(nested(3_000))], code.internal],
    ["14: 10,000 groups", ask, {}, [envelope(Buffer.alloc(10_000, 0x13))], code.internal],
    ["15: an unknown method", `${service}/Tell`, {}, [hello], code.unimplemented],
    ["15: an unknown service", "/weft.rpc.test.Prober/Ask", {}, [hello], code.unimplemented],
    ["19: //", `/${ask}`, {}, [hello], code.unimplemented],
    ["19: %53", "/weft.rpc.test.Probe/%41sk", {}, [hello], code.unimplemented],
    ["19: /x/../", `/x/..${ask}`, {}, [hello], code.unimplemented],
    ["19: wrong case", ask.toLowerCase(), {}, [hello], code.unimplemented],
    ["19: a query", `${ask}?x=1`, {}, [hello], code.unimplemented],
    ["20: a timeout of -1S", ask, { "grpc-timeout": "-1S" }, [hello], code.invalid],
    ["20: a timeout of 1e9", ask, { "grpc-timeout": "1e9" }, [hello], code.invalid],
    ["20: a timeout without unit", ask, { "grpc-timeout": "1" }, [hello], code.invalid],
    ["20: a timeout of 9 digits", ask, { "grpc-timeout": "123456789n" }, [hello], code.invalid],
    ["21: a timeout of 0n", ask, { "grpc-timeout": "0n" }, [hello], code.deadline],
    ["25: bad base64 in -bin", ask, { "x-bin": "!!" }, [hello], code.invalid],
    [
      "34: reflection where there is none",
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      {},
      [hello],
      code.unimplemented,
    ],
  ])("%s", async (_, path, more, body, expected) => {
    await serve();
    const before = started;
    const answer = await post(path, more, body);
    expect([answer.status, answer.code]).toEqual([200, expected]);
    expect(started).toBe(before);
    if (expected === code.unimplemented && more["grpc-encoding"])
      expect(answer.fields["grpc-accept-encoding"]).toBe("gzip,identity");
  });

  it("3: a Brotli bomb with 429", async () => {
    await serve();
    const bomb = brotliCompressSync(Buffer.alloc(64 * mebibyte));
    const answer = await post(ask, { "content-type": "application/proto", "content-encoding": "br" }, [bomb]);
    expect(answer.status).toBe(429);
  });

  it("15, 19: what is no route of Connect's with 404", async () => {
    await serve();
    for (const path of [`${service}/Tell`, `/${ask}`, "/weft.rpc.test.Probe/%41sk", ask.toLowerCase()])
      expect((await post(path, { "content-type": "application/proto" }, [text("x")])).status).toBe(404);
  });

  it("16, 17: PUT with 405, and another content-type with 415", async () => {
    await serve();
    expect((await post(ask, { ":method": "PUT" }, [hello])).status).toBe(405);
    expect((await post(ask, { "content-type": "text/plain" }, [hello])).status).toBe(415);
    expect(started).toBe(1);
  });

  it("20: Connect's timeout of -1 with 400", async () => {
    await serve();
    const answer = await post(ask, { "content-type": "application/proto", "connect-timeout-ms": "-1" }, [text("x")]);
    expect([answer.status, started]).toEqual([400, 1]);
  });

  it("22: a timeout of 35 days with no timer that fires at once", async () => {
    await serve();
    expect((await post(ask, { "grpc-timeout": "3000000S" }, [hello])).code).toBe(0);
  });

  it("31: an upload over the limit at once, without waiting for the rest", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(ask));
    raw.frame(frame.data, 0, 1, envelope(Buffer.alloc(1_000), 0, 5 * mebibyte));
    expect(await raw.reset(1)).toBe(0);
    expect(
      raw.seen.some(({ type, stream, flags }) => type === frame.headers && stream === 1 && flags & flag.endStream),
    ).toBe(true);
  });

  it("35: what a handler throws with nothing of it", async () => {
    await serve();
    const answer = await post(ask, {}, [envelope(text("throw"))]);
    expect([answer.code, answer.message]).toEqual([code.internal, "internal error"]);
    const connectAnswer = await post(ask, { "content-type": "application/proto" }, [text("throw")]);
    for (const { fields, body } of [answer, connectAnswer])
      expect(JSON.stringify(fields) + body.toString()).not.toContain("tulip");
  });
});

/** A list in a list in a list: `google.protobuf.ListValue`. */
function nested(depth: number): Buffer {
  let message: Buffer = Buffer.alloc(0);
  const field = (number: number, bytes: Buffer): Buffer => {
    const length: number[] = [];
    let left = bytes.length;
    for (; left >= 128; left >>>= 7) length.push((left & 127) | 128);
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, left]), bytes]);
  };
  for (let i = 0; i < depth; i++) message = field(1, field(6, message));
  return message;
}

describe("a header list", () => {
  it.each<[row: string, fields: (readonly [string, string])[], code: number]>([
    ["18: a path without slash", grpcFields("weft.rpc.test.Probe/Ask"), h2.protocol],
    ["18: an empty path", grpcFields(""), h2.protocol],
    ["18: a path with NUL", grpcFields("/weft\0"), h2.protocol],
    [
      "23: 200 fields",
      [...grpcFields(ask), ...Array.from({ length: 200 }, (_, i) => [`x-${i}`, "y"] as const)],
      h2.calm,
    ],
    ["24: 17 KiB", grpcFields(ask, { "x-long": "y".repeat(16_200) }), h2.calm],
    ["26: CR in a value", grpcFields(ask, { x: "a\rb" }), h2.protocol],
    ["26: LF in a value", grpcFields(ask, { x: "a\nb" }), h2.protocol],
    ["26: NUL in a value", grpcFields(ask, { x: "a\0b" }), h2.protocol],
    ["26: an upper-case name", grpcFields(ask, { "X-Upper": "y" }), h2.protocol],
    ["26: connection", grpcFields(ask, { connection: "close" }), h2.protocol],
  ])("%s ends its stream, and no other", async (_, fields, expected) => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, fields, true);
    expect(await raw.reset(1)).toBe(expected);
    raw.headers(3, grpcFields(ask));
    raw.message(3, text("hello"));
    await expect
      .poll(() => raw.seen.filter(({ type, stream }) => type === frame.headers && stream === 3).length)
      .toBe(2);
    expect(started).toBe(2);
  });

  it("24: 60 KiB over HTTP/2 ends the stream or the connection", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    const long = block(grpcFields(ask, { "x-long": "y".repeat(60 * 1024) }));
    raw.frame(frame.headers, 0, 1, long.subarray(0, 16_000));
    for (let at = 16_000; at < long.length; at += 16_000)
      raw.frame(
        frame.continuation,
        at + 16_000 >= long.length ? flag.endHeaders : 0,
        1,
        long.subarray(at, at + 16_000),
      );
    expect(await Promise.race([raw.reset(1), raw.goaway()])).toBe(h2.calm);
  });

  it("24: 60 KiB over HTTP/1.1 are answered with 431", async () => {
    const port = await serve();
    const sent = http1({
      port,
      host: "127.0.0.1",
      path: ask,
      method: "POST",
      headers: { "x-long": "y".repeat(60 * 1024) },
    });
    sent.on("error", () => {});
    sent.end();
    const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
    expect(response.statusCode).toBe(431);
  });

  it("39: a small block that the table makes large ends its stream, whose fields were not kept", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    const value = Buffer.concat([Buffer.from([127, 0xa1, 0x1e]), Buffer.alloc(4_000, "y")]);
    const large = Buffer.concat([Buffer.from([0x40, 1]), Buffer.from("x"), value]);
    const indexed = Buffer.concat([large, Buffer.alloc(12_000, 0x80 | 62)]);
    raw.frame(frame.headers, flag.endHeaders | flag.endStream, 1, indexed);
    expect(await raw.reset(1)).toBe(h2.calm);
  });

  it.each([
    ["an index beyond the table", "ff8001"],
    ["an integer that overflows", "ffffffffffff7f"],
    ["the end-of-string symbol in Huffman code", "0084ffffffff00"],
    ["a table that is larger than allowed", "3fffff01"],
    ["a change of the table's size behind a field", "8220"],
  ])("37: %s ends the connection with COMPRESSION_ERROR", async (_, hex) => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.frame(frame.headers, flag.endHeaders | flag.endStream, 1, Buffer.from(hex, "hex"));
    expect(await raw.goaway()).toBe(h2.compression);
    await raw.closed();
  });
});

describe("a flood", () => {
  it("27: of streams that are opened and reset never has more handlers running than streams are allowed, and ends the connection", async () => {
    const port = await serve({ limits: edgeLimits });
    const raw = await RawClient.open(port);
    for (let i = 0; i < 5_000; i++) {
      const stream = 2 * i + 1;
      raw.headers(stream, grpcFields(ask));
      raw.message(stream, text("hang"));
      raw.frame(frame.rstStream, 0, stream, Buffer.from([0, 0, 0, 8]));
    }
    expect(await raw.goaway()).toBe(h2.calm);
    expect(mostRunning).toBeLessThanOrEqual(edgeLimits.maxConcurrentStreams + 1);
    await expect.poll(() => running).toBe(0);
  });

  it("27: inside the mesh it is bounded by the streams alone", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    for (let i = 0; i < 5_000; i++) {
      const stream = 2 * i + 1;
      raw.headers(stream, grpcFields(ask));
      raw.message(stream, text("hang"));
      raw.frame(frame.rstStream, 0, stream, Buffer.from([0, 0, 0, 8]));
    }
    await expect.poll(() => started, { timeout: 5_000 }).toBeGreaterThan(1_000);
    await expect.poll(() => running).toBe(0);
    expect(mostRunning).toBeLessThanOrEqual(meshLimits.maxConcurrentStreams + 1);
  });

  it("28: of CONTINUATION ends the connection", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.frame(frame.headers, 0, 1, block([[":method", "POST"]]));
    for (let i = 0; i < 10_000; i++) raw.frame(frame.continuation, 0, 1);
    expect(await raw.goaway()).toBe(h2.calm);
    await raw.closed();
  });

  it.each<[what: string, send: (raw: RawClient) => void]>([
    ["PING", (raw) => raw.frame(frame.ping, 0, 0, Buffer.alloc(8))],
    ["SETTINGS", (raw) => raw.frame(frame.settings, 0, 0)],
    ["empty DATA", (raw) => raw.frame(frame.data, 0, 1)],
    ["PRIORITY", (raw) => raw.frame(frame.priority, 0, 3, Buffer.alloc(5))],
    ["WINDOW_UPDATE", (raw) => raw.frame(frame.windowUpdate, 0, 0, Buffer.from([0, 0, 0, 1]))],
    ["frames that nobody knows", (raw) => raw.frame(0x99, 0, 0)],
  ])("29: of %s ends the connection with ENHANCE_YOUR_CALM", async (_, send) => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(ask));
    for (let i = 0; i < 5_000; i++) send(raw);
    expect(await raw.goaway()).toBe(h2.calm);
    await raw.closed();
  });

  it("of resets by the server, for streams that are malformed, ends the connection at the edge", async () => {
    const port = await serve({ limits: edgeLimits });
    const raw = await RawClient.open(port);
    for (let i = 0; i < 1_000; i++) raw.headers(2 * i + 1, grpcFields("no slash"), true);
    expect(await raw.goaway()).toBe(h2.calm);
  });
});

describe("30: a peer that stands still", () => {
  const limits = { ...meshLimits, stalledMs: 500, stalledStreamMs: 500 };

  it("with half a request is given up", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(ask));
    raw.frame(frame.data, 0, 1, hello.subarray(0, 8));
    expect(await raw.reset(1)).toBe(h2.calm);
  });

  it("with half a frame is given up", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.open(port);
    raw.write(Buffer.from([0, 0, 100, 0]));
    expect(await raw.goaway()).toBe(h2.calm);
    await raw.closed();
  });

  it("with half a preface, or none, is given up", async () => {
    const port = await serve({ limits });
    for (const begun of ["", "PRI * HT"]) {
      const raw = await RawClient.dial(port);
      raw.write(Buffer.from(begun));
      await raw.closed();
    }
  });

  it("with half the headers of HTTP/1.1 is given up", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.dial(port);
    raw.write(Buffer.from("POST / HTTP/1.1\r\nhost: x\r\n"));
    await raw.closed();
  });

  it("with a window of zero is given up, and what waited for it is gone", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.open(port, [[4, 0]]);
    raw.headers(1, grpcFields(watch));
    raw.message(1, Buffer.alloc(0));
    expect(await raw.reset(1)).toBe(h2.calm);
  });

  it("and does not read is given up, with no more queued for it than the limit", async () => {
    const port = await serve({ limits: { ...limits, maxQueuedBytes: 8 * mebibyte } });
    const raw = await RawClient.open(port, [[4, 2 ** 31 - 1]]);
    raw.frame(frame.windowUpdate, 0, 0, Buffer.from([0x7f, 0, 0, 0]));
    raw.socket.pause();
    for (let stream = 1; stream < 100; stream += 2) {
      raw.headers(stream, grpcFields(watch));
      raw.message(stream, Buffer.alloc(0));
    }
    let most = 0;
    // A socket that is not read hears of its end when it writes.
    const writing = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      raw.frame(frame.settings, flag.ack, 0);
    }, 50);
    await raw.closed();
    clearInterval(writing);
    expect(most).toBeLessThan(64 * mebibyte);
  });
});

describe("a limit of", () => {
  it("32: streams refuses the next", async () => {
    const port = await serve({ limits: { ...meshLimits, maxConcurrentStreams: 10 } });
    const raw = await RawClient.open(port);
    for (let stream = 1; stream <= 21; stream += 2) {
      raw.headers(stream, grpcFields(ask));
      raw.message(stream, text("hang"));
    }
    expect(await raw.reset(21)).toBe(h2.refused);
    expect(started).toBe(11);
  });

  it("33: connections closes the next", async () => {
    const port = await serve({ maxConnections: 3 });
    await RawClient.open(port);
    await RawClient.open(port);
    const socket = tcp({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    await once(socket, "close");
  });
});

describe("frames that break the rules", () => {
  const update = (increment: number): Buffer =>
    Buffer.from([(increment >>> 24) & 0x7f, 255 & (increment >>> 16), 255 & (increment >>> 8), 255 & increment]);

  it.each<[row: string, send: (raw: RawClient) => void, code: number]>([
    [
      "36: a connection's window above 2^31-1",
      (raw) => raw.frame(frame.windowUpdate, 0, 0, update(0x7fff_ffff)),
      h2.flow,
    ],
    ["36: an update of 0", (raw) => raw.frame(frame.windowUpdate, 0, 0, update(0)), h2.protocol],
    ["38: DATA on a stream that nobody has opened", (raw) => raw.frame(frame.data, 0, 1, hello), h2.protocol],
    ["38: RST_STREAM on one", (raw) => raw.frame(frame.rstStream, 0, 5, Buffer.alloc(4)), h2.protocol],
    ["38: an even stream from a client", (raw) => raw.headers(2, grpcFields(ask)), h2.protocol],
    ["38: DATA on stream 0", (raw) => raw.frame(frame.data, 0, 0, hello), h2.protocol],
    ["a PUSH_PROMISE from a client", (raw) => raw.frame(5, 4, 1, Buffer.alloc(8)), h2.protocol],
    ["a frame above the limit", (raw) => raw.frame(frame.data, 0, 1, Buffer.alloc(20_000)), 6],
    ["a second preface", (raw) => raw.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")), 6],
  ])("%s", async (_, send, expected) => {
    const port = await serve();
    const raw = await RawClient.open(port);
    send(raw);
    expect(await raw.goaway()).toBe(expected);
    await raw.closed();
  });

  it("36: a stream's window above 2^31-1 ends the stream", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(ask));
    raw.frame(frame.windowUpdate, 0, 1, update(0x7fff_ffff));
    expect(await raw.reset(1)).toBe(h2.flow);
  });

  it("38: HEADERS on a stream that is closed", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(ask));
    raw.message(1, text("hello"));
    await expect.poll(() => raw.seen.filter(({ type }) => type === frame.headers).length).toBe(2);
    raw.headers(1, grpcFields(ask), true);
    expect(await raw.goaway()).toBe(h2.closed);
  });

  it("more DATA than the window allows", async () => {
    const port = await serve();
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(`${service}/Collect`));
    const piece = rawFrame(frame.data, 0, 1, Buffer.alloc(16_000));
    for (let i = 0; i < 100; i++) raw.write(piece);
    expect(await Promise.race([raw.goaway(), raw.reset(1)])).toBeGreaterThanOrEqual(0);
  });
});

describe("40: a connection", () => {
  it("over TLS without ALPN is served as HTTP/1.1, and h2 where it is agreed on", async () => {
    const pair = await certificate();
    await serve();
    const secure = await serveProbe(handlers, { tls: pair });
    for (const [ALPNProtocols, expected] of [
      [undefined, false],
      [["http/1.1"], "http/1.1"],
      [["h2"], "h2"],
    ] as const) {
      const protocols = ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] };
      const socket = tls({
        port: secure.port,
        host: "127.0.0.1",
        ca: pair.cert,
        servername: "localhost",
        ...protocols,
      });
      closing(() => socket.destroy());
      await once(socket, "secureConnect");
      expect(socket.alpnProtocol).toBe(expected);
      if (expected === "h2") continue;
      socket.write("GET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n");
      const [chunk] = (await once(socket, "data")) as [Buffer];
      expect(chunk.toString()).toMatch(/^HTTP\/1\.1 404 /);
    }
  });

  it.each([
    ["garbage", "\x16\x03\x01garbage of some other protocol\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["HTTP/1.0", "GET /nowhere HTTP/1.0\r\n\r\n", /^HTTP\/1\.1 404 /],
    ["HTTP/1.1 without a host", "GET /nowhere HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
  ])("with %s is answered, or closed", async (_, sent, expected) => {
    const port = await serve();
    const socket = tcp({ port, host: "127.0.0.1" });
    closing(() => socket.destroy());
    let seen = "";
    socket.on("data", (chunk: Buffer) => (seen += chunk.toString())).on("error", () => {});
    socket.write(sent, "latin1");
    await once(socket, "close");
    if (seen !== "") expect(seen).toMatch(expected);
  });
});

it("resets of every stream leave nothing behind", async () => {
  const port = await serve();
  const raw = await RawClient.open(port);
  for (let i = 0; i < 3_000; i++) {
    raw.headers(2 * i + 1, grpcFields(ask));
    raw.message(2 * i + 1, text("hang"));
    raw.frame(frame.rstStream, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8]));
    if (i % 200 === 0) await neighbour.ask({ value: "between" });
  }
  await expect.poll(() => started, { timeout: 5_000 }).toBeGreaterThan(2_000);
  await expect.poll(() => running).toBe(0);
  raw.headers(6_001, grpcFields(ask));
  raw.message(6_001, text("still there"));
  await expect
    .poll(() => raw.seen.filter(({ type, stream }) => type === frame.headers && stream === 6_001).length)
    .toBe(2);
});

describe("over HTTP/1.1", () => {
  const limits = { ...meshLimits, stalledMs: 500, stalledStreamMs: 500 };

  it("23: 200 fields are answered with 431", async () => {
    const port = await serve();
    const raw = await RawClient.dial(port);
    let seen = "";
    raw.socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
    });
    const fields = Array.from({ length: 200 }, (_, i) => `x-${i}: y\r\n`).join("");
    raw.write(Buffer.from(`POST ${ask} HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n`));
    await raw.closed();
    expect(seen).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("30: half a body is given up", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.dial(port);
    raw.write(
      Buffer.from(
        `POST ${ask} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"x`,
      ),
    );
    await raw.closed();
  });

  it("30: a peer that does not read is given up", async () => {
    const port = await serve({ limits });
    const raw = await RawClient.dial(port);
    raw.socket.pause();
    const body = JSON.stringify("x".repeat(3 * mebibyte));
    raw.write(
      Buffer.from(
        `POST ${ask} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      ),
    );
    // A socket that is not read hears of its end when it writes.
    await expect.poll(() => started, { timeout: 5_000 }).toBe(2);
    const writing = setInterval(() => raw.write(Buffer.from("x")), 50);
    await raw.closed();
    clearInterval(writing);
  });
});

describe("a handler's own doing", () => {
  it("an error whose message is cut in the middle of a character is still an answer", async () => {
    await serve();
    secret = "";
    const broken = await serveProbe({
      ask({ value }) {
        throw new ConnectError(`no such user: ${value.slice(0, 5)}`, Code.NotFound);
      },
      // biome-ignore lint/correctness/useYield: it fails before its first message.
      async *watch({ value }) {
        throw new ConnectError(`no such user: ${value.slice(0, 5)}`, Code.NotFound);
      },
    });
    const client = clientOf(broken.port);
    const failures = [
      client.ask({ value: "abcd😀" }),
      client.watch({ value: "abcd😀" })[Symbol.asyncIterator]().next(),
    ];
    for (const failure of failures) {
      const error = await failure.then(
        () => expect.fail("the call should have failed"),
        (reason: unknown) => ConnectError.from(reason),
      );
      expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "no such user: abcd\ufffd"]);
    }
  });

  it("a message, or header fields, that no client takes end its call, and no other", async () => {
    await serve();
    const large = "y".repeat(70_000);
    const talkative = await serveProbe({
      ask({ value }, { responseHeader }) {
        if (value === "header") responseHeader.set("x-large", large);
        else if (value === "throw") throw new ConnectError(large, Code.NotFound);
        return { value };
      },
    });
    const client = clientOf(talkative.port);
    const codeOf = (call: Promise<unknown>): Promise<Code | undefined> =>
      call.then(
        () => undefined,
        (error: unknown) => ConnectError.from(error).code,
      );
    const calls = ["fine", "throw", "fine", "header", "fine"].map((value) => codeOf(client.ask({ value })));
    expect(await Promise.all(calls)).toEqual([undefined, Code.NotFound, undefined, Code.ResourceExhausted, undefined]);
    expect(await codeOf(client.ask({ value: "sent" }, { headers: { "x-large": large } }))).toBe(Code.ResourceExhausted);
    expect(await codeOf(client.ask({ value: "fine" }))).toBeUndefined();
  });

  it("garbage in a conversation tells its handler, also one that waits for the window", async () => {
    await serve();
    let ended = 0;
    const port = (
      await serveProbe({
        async *talk() {
          try {
            for (;;) yield { value: "x".repeat(60_000) };
          } finally {
            ended += 1;
          }
        },
      })
    ).port;
    const raw = await RawClient.open(port, [[4, 0]]);
    raw.headers(1, grpcFields(`${service}/Talk`));
    await expect.poll(() => raw.seen.some(({ type }) => type === frame.headers)).toBe(true);
    raw.message(1, Buffer.from("ffffffffff", "hex"), false);
    await expect.poll(() => ended).toBe(1);
  });

  it("streams that nobody reads don't stop the other calls of their connection", async () => {
    const port = await serve();
    const client = clientOf(port);
    const unread = [1, 2, 3].map(() => client.watch({})[Symbol.asyncIterator]());
    for (const stream of unread) await stream.next();
    for (let i = 0; i < 20; i++)
      expect((await client.ask({ value: `call ${i}` }, { timeoutMs: 2_000 })).value).toBe(`call ${i}`);
  });

  it("messages of no octets fill a queue that nobody reads", async () => {
    let taken = 0;
    await serve();
    const port = (
      await serveProbe({
        async collect(_requests, { signal }) {
          taken += 1;
          await once(signal, "abort");
          return {};
        },
      })
    ).port;
    const raw = await RawClient.open(port);
    raw.headers(1, grpcFields(`${service}/Collect`));
    const empty = rawFrame(frame.data, 0, 1, Buffer.alloc(16_000));
    // The window is 256 KiB: what comes above it breaks the rules, since nothing was given back.
    for (let i = 0; i < 30; i++) raw.write(empty);
    expect(await Promise.race([raw.reset(1), raw.goaway()])).toBe(h2.flow);
    expect(taken).toBe(1);
  });
});
