import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { closing } from "./probe.ts";

export const frame = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
};
export const flag = { endStream: 1, ack: 1, endHeaders: 4 };

interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** HTTP/2 by hand: whatever a peer may send, and none of the care that a library takes. It answers nothing. */
export class RawClient {
  readonly socket: Socket;
  readonly seen: Seen[] = [];
  isClosed = false;
  #rest = Buffer.alloc(0);
  #wakes: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** Connected, with the preface and SETTINGS sent. */
  static async open(port: number, settings: readonly (readonly [number, number])[] = []): Promise<RawClient> {
    const client = await RawClient.dial(port);
    client.write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    const payload = Buffer.alloc(6 * settings.length);
    settings.forEach(([id, value], i) => {
      payload.writeUInt16BE(id, 6 * i);
      payload.writeUInt32BE(value, 6 * i + 2);
    });
    client.frame(frame.settings, 0, 0, payload);
    return client;
  }

  static async dial(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const client = new RawClient(socket);
    closing(() => socket.destroy());
    return client;
  }

  write(bytes: Uint8Array): void {
    if (!this.isClosed) this.socket.write(bytes);
  }

  frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.write(rawFrame(type, flags, stream, payload));
  }

  /** A request's header list, complete. */
  headers(stream: number, fields: readonly (readonly [string, string])[], endStream = false): void {
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    this.frame(frame.headers, flags, stream, block(fields));
  }

  /** A message behind its prefix. */
  message(stream: number, message: Uint8Array, endStream = true): void {
    this.frame(frame.data, endStream ? flag.endStream : 0, stream, envelope(message));
  }

  /** The error code of the GOAWAY that ended the connection, or of the RST_STREAM; waits for it. */
  async goaway(): Promise<number> {
    const seen = await this.#wait(({ type }) => type === frame.goaway);
    return seen.payload.readUInt32BE(4);
  }

  async reset(stream: number): Promise<number> {
    const seen = await this.#wait((each) => each.type === frame.rstStream && each.stream === stream);
    return seen.payload.readUInt32BE(0);
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#changed();
  }

  async #wait(is: (seen: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const found = this.seen.find(is);
      if (found !== undefined) return found;
      if (this.isClosed)
        throw new Error(`the connection ended; seen: ${JSON.stringify(this.seen.map(({ type }) => type))}`);
      await this.#changed();
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve));
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5);
      const stream = this.#rest.readUInt32BE(5);
      this.seen.push({ type, flags, stream, payload: Buffer.from(this.#rest.subarray(9, end)) });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }
}

export function rawFrame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as literals that enter no table. */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
}

function text(value: string): Buffer {
  const octets = Buffer.from(value, "latin1");
  if (octets.length < 127) return Buffer.concat([Buffer.from([octets.length]), octets]);
  const rest: number[] = [127];
  let left = octets.length - 127;
  for (; left >= 128; left >>>= 7) rest.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...rest, left]), octets]);
}

export function envelope(message: Uint8Array, flags = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

/** What a request of gRPC has, with others in place of some. */
export function grpcFields(path: string, more: Readonly<Record<string, string>> = {}): (readonly [string, string])[] {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "localhost",
    te: "trailers",
    "content-type": "application/grpc",
  };
  return Object.entries({ ...fields, ...more });
}
