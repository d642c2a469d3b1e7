import { Duplex } from "node:stream";
import { errorCode, flag, frameHeadBytes, frameType, setting } from "../protocol.ts";

/** A request without a body, and a handler that nothing that comes of it matters to. */
export const request = {
  fields: [":method", "POST", ":scheme", "http", ":path", "/"],
  handler: { onHeaders() {}, onData() {}, onTrailers() {}, onEnd() {}, onReset() {}, onDrained() {} },
} as const;

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHeadBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

function settingOf(id: number, value: number | undefined): Buffer {
  const bytes = Buffer.alloc(value === undefined ? 0 : 6);
  if (value === undefined) return bytes;
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

export interface SilentServerOptions {
  /** How often it says that it takes PINGs; it doesn't when absent. */
  readonly takesPingMs?: number;
  readonly answersPings?: boolean;
  readonly maxStreams?: number;
}

/** The other end of a connection, in memory: it takes requests, and answers them when it is told to. */
export class SilentServer {
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

  constructor({ takesPingMs, answersPings = true, maxStreams }: SilentServerOptions = {}) {
    this.#answersPings = answersPings;
    this.#settings = Buffer.concat([
      settingOf(setting.pingInterval, takesPingMs),
      settingOf(setting.maxConcurrentStreams, maxStreams),
    ]);
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
