import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { HeaderDecoder } from "./header-decoder.ts";
import { HeaderEncoder } from "./header-encoder.ts";

// Node's own HTTP/2 is nghttp2: what one of the two writes, the other has to read.

const [headersFrame, rstStream, settingsFrame, goaway] = [1, 3, 4, 7];
const [ack, endStream, endHeaders] = [1, 1, 4];
const headerTableSize = 1;
const limits = { maxListBytes: 1 << 20, maxFields: 1_000 };

let server: Http2Server;
let session: ServerHttp2Session;
let socket: Socket;
beforeEach(async () => {
  server = createServer({ maxSendHeaderBlockLength: 1 << 20, settings: { maxHeaderListSize: 1 << 20 } });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connected = once(server, "session");
  socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.setNoDelay();
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(frame(settingsFrame, 0, 0, Buffer.alloc(0)));
  [session] = (await connected) as [ServerHttp2Session];
});
afterEach(() => {
  socket.destroy();
  server.close();
});

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

async function* frames(): AsyncGenerator<{ type: number; flags: number; payload: Buffer }> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer]);
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      yield { type: bytes.readUInt8(3), flags: bytes.readUInt8(4), payload: bytes.subarray(9, end) };
      bytes = bytes.subarray(end);
    }
  }
}

/** The size of the table that a SETTINGS frame asks for, if it does. */
function tableSizeOf(payload: Buffer): number | undefined {
  for (let at = 0; at < payload.length; at += 6) {
    if (payload.readUInt16BE(at) === headerTableSize) return payload.readUInt32BE(at + 2);
  }
  return undefined;
}

const name = fc.stringMatching(/^x-[a-z0-9-]{1,12}$/);
const value = fc.oneof(
  fc.constantFrom("", "1", "application/grpc", "v".repeat(1_000)),
  fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/),
);
const list = fc.uniqueArray(fc.tuple(name, value), { selector: ([name]) => name, maxLength: 12 });
const tableSize = fc.option(fc.constantFrom(0, 64, 256, 4_096, 65_536), { freq: 10, nil: undefined });
const date = "Mon, 21 Oct 2013 20:13:21 GMT";
const exchange = fc.record({ request: list, response: list, ours: tableSize, theirs: tableSize });

it("header lists of all kinds go both ways between it and nghttp2, while both sides change their tables", async () => {
  const exchanges = fc.sample(exchange, { numRuns: 1_500, seed: 7541 });
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder(limits);
  const unacknowledged: number[] = [];
  const received: (readonly string[])[] = [];
  session.on("stream", (stream, _headers, _flags, raw) => {
    received.push(raw as unknown as readonly string[]);
    const { response = [], theirs } = exchanges[received.length - 1] ?? {};
    if (theirs !== undefined) session.settings({ headerTableSize: theirs });
    stream.respond(Object.fromEntries([[":status", 200], ["date", date], ...response]), { endStream: true });
  });

  const incoming = frames();
  async function answer(): Promise<readonly string[]> {
    for (let next = await incoming.next(); !next.done; next = await incoming.next()) {
      const { type, flags, payload } = next.value;
      if (type === rstStream || type === goaway) throw new Error(`nghttp2 refused it: ${payload.toString("hex")}`);
      if (type === headersFrame) return decoder.decode(payload).fields;
      if (type !== settingsFrame) continue;
      if (flags === ack) {
        const acknowledged = unacknowledged.shift();
        if (acknowledged) decoder.allowTableSize(acknowledged);
        continue;
      }
      const allowed = tableSizeOf(payload);
      if (allowed !== undefined) encoder.allowTableSize(allowed);
      socket.write(frame(settingsFrame, ack, 0, Buffer.alloc(0)));
    }
    throw new Error("the connection ended");
  }

  unacknowledged.push(0);
  for (const [i, { request, response, ours }] of exchanges.entries()) {
    if (ours !== undefined) {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(headerTableSize, 0);
      setting.writeUInt32BE(ours, 2);
      unacknowledged.push(ours);
      socket.write(frame(settingsFrame, 0, 0, setting));
    }
    const fields = [
      ":method",
      "POST",
      ":scheme",
      "http",
      ":authority",
      "weft",
      ":path",
      `/${i % 7}`,
      ...request.flat(),
    ];
    const block = Buffer.alloc(encoder.bound(fields));
    const end = encoder.encode(fields, block, 0);
    socket.write(frame(headersFrame, endStream | endHeaders, 2 * i + 1, block.subarray(0, end)));
    expect(await answer()).toEqual([":status", "200", "date", date, ...response.flat()]);
    expect(received[i]).toEqual(fields);
  }
});
