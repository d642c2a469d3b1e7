import { Duplex } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Http2Client } from "./client.ts";
import { meshLimits } from "./limits.ts";
import { errorCode, flag, frameHeadBytes, frameType, setting } from "./protocol.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const silent = { onHeaders() {}, onData() {}, onTrailers() {}, onEnd() {}, onReset() {}, onDrained() {} };

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

/** The other end of a connection, which takes requests and says nothing of its own accord. */
class Server {
  pings = 0;
  readonly #settings: Buffer;
  readonly #answersPings: boolean;
  #taken = Buffer.alloc(0);
  readonly socket = new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, done) => {
      this.#take(chunk);
      done();
    },
  });

  constructor(takesPingMs: number | undefined, answersPings = true) {
    this.#answersPings = answersPings;
    this.#settings = Buffer.alloc(takesPingMs === undefined ? 0 : 6);
    if (takesPingMs === undefined) return;
    this.#settings.writeUInt16BE(setting.pingInterval);
    this.#settings.writeUInt32BE(takesPingMs, 2);
  }

  tooManyPings(): void {
    const payload = Buffer.concat([Buffer.alloc(8), Buffer.from("too_many_pings")]);
    payload.writeUInt32BE(1);
    payload.writeUInt32BE(errorCode.enhanceYourCalm, 4);
    this.#send(frameType.goaway, 0, payload);
    queueMicrotask(() => this.socket.destroy());
  }

  #send(type: number, flags: number, payload: Buffer): void {
    queueMicrotask(() => this.socket.emit("data", frame(type, flags, payload)));
  }

  #take(chunk: Buffer): void {
    const prefaceBytes = 24;
    this.#taken = Buffer.concat([this.#taken, chunk]);
    if (this.#taken.length >= prefaceBytes && this.#taken.toString("latin1", 0, 3) === "PRI") {
      this.#taken = this.#taken.subarray(prefaceBytes);
      this.#send(frameType.settings, 0, this.#settings);
    }
    for (;;) {
      const length = this.#taken.length < frameHeadBytes ? Number.POSITIVE_INFINITY : this.#taken.readUIntBE(0, 3);
      if (this.#taken.length < frameHeadBytes + length) return;
      const payload = this.#taken.subarray(frameHeadBytes, frameHeadBytes + length);
      if (this.#taken[3] === frameType.ping && this.#taken[4] === 0) {
        this.pings += 1;
        if (this.#answersPings) this.#send(frameType.ping, flag.ack, payload);
      }
      this.#taken = this.#taken.subarray(frameHeadBytes + length);
    }
  }
}

/** A client that has a call on its connection to each of the servers in turn. */
async function call(...servers: Server[]): Promise<Http2Client> {
  const client = new Http2Client({
    dial: async () => servers.shift()?.socket as Duplex,
    limits: { ...meshLimits, pingIntervalMs: 1_000, pingTimeoutMs: 1_000 },
    clock: { now: () => Date.now() },
  });
  await callAgain(client);
  return client;
}

async function callAgain(client: Http2Client): Promise<void> {
  const fields = [":method", "POST", ":scheme", "http", ":path", "/"];
  client.run({
    leave: undefined,
    start: (connection) => void connection.request(silent, fields, [], true),
    unavailable: (reason) => expect.fail(reason),
  });
  await vi.advanceTimersByTimeAsync(100);
}

it("a silent server that takes PINGs often is asked whether it lives, as often as the limits say", async () => {
  const server = new Server(1_000);
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.pings).toBeGreaterThanOrEqual(15);
  client.close();
});

it("one that takes them less often is asked less often", async () => {
  const server = new Server(20_000);
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(server.pings).toBe(2);
  client.close();
});

it("one that says nothing of it is asked no more than once in five minutes, as gRPC's servers demand", async () => {
  const server = new Server(undefined);
  const client = await call(server);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.pings).toBe(0);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(server.pings).toBe(1);
  client.close();
});

it("a server that finds them too many is asked half as often on its next connection", async () => {
  const [first, second] = [new Server(2_000), new Server(2_000)];
  const client = await call(first, second);
  await vi.advanceTimersByTimeAsync(60_000);
  const before = first.pings;
  first.tooManyPings();
  await vi.advanceTimersByTimeAsync(0);
  await callAgain(client);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(second.pings).toBeGreaterThan(0);
  expect(second.pings).toBeLessThan(0.75 * before);
  client.close();
});

it("one that doesn't answer is left, and the next call goes over a connection of its own", async () => {
  const [gone, back] = [new Server(1_000, false), new Server(1_000)];
  const client = await call(gone, back);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(gone.pings).toBe(1);
  expect(gone.socket.destroyed).toBe(true);
  await callAgain(client);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(back.pings).toBeGreaterThan(0);
  client.close();
});
