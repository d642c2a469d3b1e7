import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { Http2Connection } from "./connection.ts";
import { frameType } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";

/** A server whose peer has a window of zero, and has asked for something. */
function serveSlowReader(clock: { now(): number }): {
  connection: Http2Connection;
  stream: Http2Stream;
  sent(): number[];
} {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  let stream: Http2Stream | undefined;
  const connection = new Http2Connection({
    role: "server",
    socket,
    clock,
    handler: {
      onClose() {},
      onStream(opened) {
        stream = opened;
        return { onData() {}, onTrailers() {}, onEnd() {}, onReset() {}, onDrained() {} };
      },
    },
  });
  // SETTINGS_INITIAL_WINDOW_SIZE 0, then HEADERS with :method GET, :scheme http, :path / from the static table.
  const settings = Buffer.from("000006040000000000000400000000", "hex");
  const headers = Buffer.from("000003010500000001828684", "hex");
  socket.emit("data", Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings, headers]));
  const sent = (): number[] => {
    const all = Buffer.concat(written);
    const types: number[] = [];
    for (let at = 0; at < all.length; at += 9 + all.readUIntBE(at, 3)) types.push(all[at + 3] as number);
    return types;
  };
  return { connection, stream: stream as unknown as Http2Stream, sent };
}

it("a response that waits for its window is given up after the limit, counted from when it began to wait", async () => {
  // A process that runs since long before.
  let now = 1_000_000;
  const { connection, stream, sent } = serveSlowReader({ now: () => now });
  const flushed = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  stream.wholeResponse = true;
  stream.sendHeaders([":status", "200"], []);
  stream.sendData(Buffer.alloc(10), true);
  connection.look();
  now += 9_000;
  connection.look();
  await flushed();
  expect(sent()).not.toContain(frameType.rstStream);
  now += 2_000;
  connection.look();
  await flushed();
  expect(sent()).toContain(frameType.rstStream);
  connection.destroy();
});
