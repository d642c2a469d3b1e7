import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { Code, type ConnectError } from "@connectrpc/connect";
import { afterEach, describe, expect, it } from "vitest";
import { wasNeverProcessed } from "./index.ts";
import { clientOf, closeAll, closing } from "./testing/probe.ts";
import { block, envelope, flag, frame, rawFrame } from "./testing/raw-client.ts";

// Servers that behave badly, or as they must when they go away: gRPC's negative HTTP/2 test cases (grpc/grpc
// doc/negative-http2-interop-test-descriptions.md), and what surrounds them.

afterEach(closeAll);

interface Peer {
  send(type: number, flags: number, stream: number, payload?: Uint8Array): void;
  /** A whole answer: its header list, a message and the trailers. */
  answer(stream: number): void;
  end(): void;
}

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".length;
const ok = envelope(Buffer.concat([Buffer.from([10, 4]), Buffer.from("done")]));
const head = block([
  [":status", "200"],
  ["content-type", "application/grpc"],
]);
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A server whose every frame is written by hand; `onFrame` is told of the client's, with the number of the connection. */
async function serve(
  onFrame: (frame: Frame, peer: Peer, connection: number) => void,
  settings: Uint8Array = Buffer.alloc(0),
): Promise<number> {
  let connections = 0;
  const server: Server = createServer((socket: Socket) => {
    const connection = ++connections;
    let rest: Buffer = Buffer.alloc(0);
    let skipped = false;
    const peer: Peer = {
      send: (type, flags, stream, payload) => void socket.write(rawFrame(type, flags, stream, payload)),
      answer(stream) {
        peer.send(frame.headers, flag.endHeaders, stream, head);
        peer.send(frame.data, 0, stream, ok);
        peer.send(frame.headers, flag.endHeaders | flag.endStream, stream, block([["grpc-status", "0"]]));
      },
      end: () => socket.destroySoon(),
    };
    socket.on("error", () => {});
    closing(() => socket.destroy());
    peer.send(frame.settings, 0, 0, settings);
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      if (!skipped && rest.length >= preface) {
        rest = rest.subarray(preface);
        skipped = true;
      }
      while (skipped && rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const end = 9 + rest.readUIntBE(0, 3);
        const seen = {
          type: rest[3] as number,
          flags: rest[4] as number,
          stream: rest.readUInt32BE(5),
          payload: Buffer.from(rest.subarray(9, end)),
        };
        rest = rest.subarray(end);
        if (seen.type === frame.settings && (seen.flags & flag.ack) === 0) peer.send(frame.settings, flag.ack, 0);
        onFrame(seen, peer, connection);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing(() => server.close());
  return (server.address() as AddressInfo).port;
}

const isRequest = ({ type, flags }: Frame): boolean => type === frame.data && (flags & flag.endStream) !== 0;

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => error as ConnectError,
  );
}

describe("goaway", () => {
  it("after an answer has the next call go over another connection", async () => {
    const connections: number[] = [];
    const port = await serve((seen, peer, connection) => {
      if (!isRequest(seen)) return;
      connections.push(connection);
      peer.answer(seen.stream);
      if (connection === 1) peer.send(frame.goaway, 0, 0, Buffer.concat([uint32(seen.stream), uint32(0)]));
    });
    const client = clientOf(port);
    for (let i = 0; i < 3; i++) expect((await client.ask({})).value).toBe("done");
    expect(connections).toEqual([1, 2, 2]);
  });

  it("during calls lets those go on that were taken, and sends the others once more, none lost and none twice", async () => {
    const taken: string[] = [];
    const port = await serve((seen, peer, connection) => {
      if (!isRequest(seen)) return;
      const value = seen.payload.subarray(7).toString();
      if (connection === 2) {
        taken.push(value);
        peer.answer(seen.stream);
      } else if (seen.stream <= 3) taken.push(value);
      else if (seen.stream === 9) {
        peer.send(frame.goaway, 0, 0, Buffer.concat([uint32(3), uint32(0)]));
        peer.answer(1);
        peer.answer(3);
      }
    });
    const client = clientOf(port);
    const answers = await Promise.all(["a", "b", "c", "d", "e"].map((value) => client.ask({ value })));
    expect(answers.map(({ value }) => value)).toEqual(Array(5).fill("done"));
    expect(taken.toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("above which every call stays is told, when the next connection says so too", async () => {
    let requests = 0;
    const port = await serve((seen, peer) => {
      if (!isRequest(seen)) return;
      requests += 1;
      peer.send(frame.goaway, 0, 0, Buffer.concat([uint32(0), uint32(0)]));
    });
    const error = await failureOf(clientOf(port).ask({}));
    expect([error.code, wasNeverProcessed(error), requests]).toEqual([Code.Unavailable, true, 2]);
  });
});

describe("a reset", () => {
  const rst = (peer: Peer, stream: number, code: number): void => peer.send(frame.rstStream, 0, stream, uint32(code));

  it("after the header list fails the call", async () => {
    const port = await serve((seen, peer) => {
      if (!isRequest(seen)) return;
      peer.send(frame.headers, flag.endHeaders, seen.stream, head);
      rst(peer, seen.stream, 0);
    });
    expect((await failureOf(clientOf(port).ask({}))).code).toBe(Code.Internal);
  });

  it("during a message fails the call", async () => {
    const port = await serve((seen, peer) => {
      if (!isRequest(seen)) return;
      peer.send(frame.headers, flag.endHeaders, seen.stream, head);
      peer.send(frame.data, 0, seen.stream, ok.subarray(0, 7));
      rst(peer, seen.stream, 0);
    });
    expect((await failureOf(clientOf(port).ask({}))).code).toBe(Code.Internal);
  });

  it("after a message fails the call, whose status nobody has said", async () => {
    const port = await serve((seen, peer) => {
      if (!isRequest(seen)) return;
      peer.send(frame.headers, flag.endHeaders, seen.stream, head);
      peer.send(frame.data, 0, seen.stream, ok);
      rst(peer, seen.stream, 0);
    });
    expect((await failureOf(clientOf(port).ask({}))).code).toBe(Code.Internal);
  });

  it.each([
    ["NO_ERROR", 0, Code.Internal],
    ["PROTOCOL_ERROR", 1, Code.Internal],
    ["INTERNAL_ERROR", 2, Code.Internal],
    ["REFUSED_STREAM, twice", 7, Code.Unavailable],
    ["CANCEL", 8, Code.Canceled],
    ["ENHANCE_YOUR_CALM", 11, Code.ResourceExhausted],
    ["INADEQUATE_SECURITY", 12, Code.PermissionDenied],
    ["a code that nobody knows", 99, Code.Internal],
  ])("with %s has gRPC's code", async (_, reset, expected) => {
    const port = await serve((seen, peer) => isRequest(seen) && rst(peer, seen.stream, reset));
    const error = await failureOf(clientOf(port).ask({}));
    expect([error.code, wasNeverProcessed(error)]).toEqual([expected, reset === 7]);
  });

  it("with REFUSED_STREAM has the call sent once more", async () => {
    let refused = 0;
    const port = await serve((seen, peer) => {
      if (!isRequest(seen)) return;
      if (refused++ === 0) rst(peer, seen.stream, 7);
      else peer.answer(seen.stream);
    });
    expect((await clientOf(port).ask({})).value).toBe("done");
    expect(refused).toBe(2);
  });
});

it("answers to calls that were cancelled long ago are ignored, however many they are", async () => {
  const requests: number[] = [];
  let last = 0;
  const port = await serve((seen, peer, connection) => {
    if (!isRequest(seen)) return;
    last = connection;
    if (seen.payload.subarray(7).toString() !== "now") {
      requests.push(seen.stream);
      return;
    }
    for (const stream of requests) peer.answer(stream);
    peer.answer(seen.stream);
  });
  const client = clientOf(port);
  const controller = new AbortController();
  const calls = Array.from({ length: 50 }, () =>
    client.ask({ value: "late" }, { signal: controller.signal }).catch(() => {}),
  );
  for (let i = 0; i < 100; i++) {
    const one = new AbortController();
    const many = Array.from({ length: 50 }, () =>
      client.ask({ value: "late" }, { signal: one.signal }).catch(() => {}),
    );
    await new Promise((resolve) => setImmediate(resolve));
    one.abort();
    await Promise.all(many);
  }
  controller.abort();
  await Promise.all(calls);
  expect((await client.ask({ value: "now" })).value).toBe("done");
  expect([last, requests.length > 4_000]).toEqual([1, true]);
});

it.each([false, true])(
  "an answer that is complete is one, though the stream is reset behind it; compressed: %s",
  async (compressed) => {
    const message = compressed ? envelope(gzipSync(ok.subarray(5)), 1) : ok;
    const port = await serve((seen, peer) => {
      if (seen.type !== frame.headers) return;
      const fields = block([
        [":status", "200"],
        ["content-type", "application/grpc"],
        ["grpc-encoding", "gzip"],
      ]);
      peer.send(frame.headers, flag.endHeaders, seen.stream, fields);
      peer.send(frame.data, 0, seen.stream, message);
      peer.send(frame.headers, flag.endHeaders | flag.endStream, seen.stream, block([["grpc-status", "0"]]));
      peer.send(frame.rstStream, 0, seen.stream, uint32(0));
    });
    async function* never() {
      yield { value: "first" };
      await new Promise(() => {});
    }
    expect((await clientOf(port).collect(never())).value).toBe("done");
  },
);

it("ping: each is answered, at once and with its octets, also between calls", async () => {
  const pongs: string[] = [];
  const port = await serve((seen, peer) => {
    if (seen.type === frame.ping && (seen.flags & flag.ack) !== 0) pongs.push(seen.payload.toString());
    if (!isRequest(seen)) return;
    peer.send(frame.ping, 0, 0, Buffer.from(`before ${seen.stream}`.padEnd(8).slice(0, 8)));
    peer.answer(seen.stream);
    peer.send(frame.ping, 0, 0, Buffer.from("behind  "));
  });
  const client = clientOf(port);
  for (let i = 0; i < 2; i++) await client.ask({});
  await expect.poll(() => pongs.length).toBe(4);
  expect(pongs).toEqual(["before 1", "behind  ", "before 3", "behind  "]);
});

it("max_streams: calls above it wait for their turn, also when it becomes smaller", async () => {
  let open = 0;
  let most = 0;
  const one = Buffer.from([0, 3, 0, 0, 0, 1]);
  const port = await serve((seen, peer) => {
    if (seen.type === frame.headers) most = Math.max(most, ++open);
    if (!isRequest(seen)) return;
    setImmediate(() => {
      open -= 1;
      peer.answer(seen.stream);
    });
  }, one);
  const client = clientOf(port);
  await client.ask({});
  const answers = await Promise.all(Array.from({ length: 15 }, () => client.ask({})));
  expect(answers.map(({ value }) => value)).toEqual(Array(15).fill("done"));
  expect(most).toBe(1);
});

describe("a server that answers with something else", () => {
  const cases: readonly [what: string, fields: readonly (readonly [string, string])[], code: Code][] = [
    [
      "HTTP 404",
      [
        [":status", "404"],
        ["content-type", "text/plain"],
      ],
      Code.Unimplemented,
    ],
    ["HTTP 503", [[":status", "503"]], Code.Unavailable],
    ["HTTP 401", [[":status", "401"]], Code.Unauthenticated],
    [
      "a page",
      [
        [":status", "200"],
        ["content-type", "text/html"],
      ],
      Code.Unknown,
    ],
    [
      "a status that is no number",
      [
        [":status", "200"],
        ["content-type", "application/grpc"],
        ["grpc-status", "abc"],
      ],
      Code.Unknown,
    ],
    ["a header list without status", [["content-type", "application/grpc"]], Code.Internal],
  ];
  it.each(cases)("%s", async (_, fields, expected) => {
    const port = await serve((seen, peer) => {
      if (isRequest(seen)) peer.send(frame.headers, flag.endHeaders | flag.endStream, seen.stream, block(fields));
    });
    expect((await failureOf(clientOf(port).ask({}))).code).toBe(expected);
  });

  it("no HTTP/2 at all", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing(() => server.close());
    const error = await failureOf(clientOf((server.address() as AddressInfo).port).ask({}));
    expect(error.code).toBe(Code.Unavailable);
  });
});

it("a client that lost its server finds it again when it is back", async () => {
  const port = await serve((seen, peer, connection) => {
    if (!isRequest(seen)) return;
    if (connection === 1) peer.end();
    else peer.answer(seen.stream);
  });
  const client = clientOf(port);
  const error = await failureOf(client.ask({}));
  expect([error.code, wasNeverProcessed(error)]).toEqual([Code.Unavailable, false]);
  expect((await client.ask({})).value).toBe("done");
});
