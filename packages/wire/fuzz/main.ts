import { Duplex } from "node:stream";
import { parseArgs } from "node:util";
import { CompressionError } from "../src/hpack/compression-error.ts";
import { HeaderDecoder } from "../src/hpack/header-decoder.ts";
import { HeaderEncoder } from "../src/hpack/header-encoder.ts";
import { Deadlines, edgeLimits, Http2Connection, type Http2Stream, meshLimits, ServerCall } from "../src/index.ts";
import { type Random, randomFrom } from "./random.ts";

// Octets that no peer would send, for so many seconds: mutations of what one does. Nothing may be thrown that is no answer to a peer, every
// stream ends once, and nothing is held above the limits.

const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const end = Date.now() + 1_000 * Number(values.seconds);
const random = randomFrom(seed);
const deadlines = new Deadlines();
let runs = 0;
let input: Buffer = Buffer.alloc(0);

process.stdout.write(`fuzz: --seed=${seed}, ${values.seconds} s\n`);
try {
  while (Date.now() < end) {
    for (let i = 0; i < 50; i++) {
      fuzzServer(random);
      fuzzClient(random);
      fuzzHeaders(random);
      runs += 3;
    }
    // Timers and what connections have put off have their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stdout.write(`fuzz: ${runs} runs, nothing found\n`);
} catch (error) {
  process.stderr.write(`fuzz: found with --seed=${seed} in run ${runs}, the input ${input.toString("hex")}\n`);
  throw error;
}
process.exit(0);

function socket(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
}

/** Octets in pieces of any size. */
function feed(target: Duplex, octets: Buffer, random: Random): void {
  input = octets;
  for (let at = 0; at < octets.length; ) {
    const size = random.chance(0.5) ? octets.length : 1 + random.below(40);
    target.emit("data", octets.subarray(at, at + size));
    at += size;
  }
}

function fuzzServer(random: Random): void {
  const limits = random.chance(0.5) ? meshLimits : edgeLimits;
  const peer = socket();
  let begun = 0;
  let ended = 0;
  let isOver = false;
  const connection = new Http2Connection({
    role: "server",
    socket: peer,
    limits,
    handler: {
      onStream(stream, _head, fields) {
        begun += 1;
        const bodies: number[] = [];
        // A call is complete, or over, or complete and then over since it couldn't be answered.
        const ends = new Set<string>();
        const over = (how: "complete" | "over"): void => {
          if (ends.has(how) || ends.has("over"))
            throw new Error(`a call is ${how} after it was ${[...ends].join(", ")}`);
          if (ends.size === 0) ended += 1;
          ends.add(how);
        };
        const call = new ServerCall(
          stream,
          fields,
          {
            onMessage: (bytes) => void bodies.push(bytes.length),
            onMessagesEnd() {
              over("complete");
              for (const length of bodies) call.send(Buffer.alloc(length));
              call.end(0);
            },
            onOver: () => over("over"),
            onDrained() {},
          },
          { maxMessageBytes: 10_000, deadlines, maxTimeoutMs: 1_000 },
        );
        if (call.isOver && ends.size === 0) over("over");
        return call;
      },
      onClose() {
        isOver = true;
      },
    },
  });
  feed(peer, mutate(session(random, "client"), random), random);
  if (connection.openStreams > limits.maxConcurrentStreams) throw new Error("more streams than allowed");
  connection.destroy();
  if (!isOver) throw new Error("the connection did not say that it is over");
  if (ended !== begun) throw new Error(`${ended} ends of ${begun} calls`);
}

function fuzzClient(random: Random): void {
  const peer = socket();
  let isOver = false;
  const onClose = (): void => {
    isOver = true;
  };
  const connection = new Http2Connection({ role: "client", socket: peer, handler: { onClose } });
  const ends: number[] = [];
  for (let i = 0; i < 3; i++) {
    ends.push(0);
    const over = (): void => {
      ends[i] = (ends[i] ?? 0) + 1;
    };
    const stream: Http2Stream = connection.request(
      {
        onHeaders() {},
        onData: (_, from, to) => stream.consume(to - from),
        onTrailers() {},
        onEnd: over,
        onReset: over,
        onDrained() {},
      },
      [":method", "POST", ":scheme", "http", ":path", "/"],
      [],
    );
    stream.sendData(Buffer.alloc(10), true);
  }
  feed(peer, mutate(session(random, "server"), random), random);
  connection.destroy();
  if (!isOver) throw new Error("the connection did not say that it is over");
  if (ends.some((count) => count !== 1)) throw new Error(`the streams ended ${ends.join(", ")} times`);
}

function fuzzHeaders(random: Random): void {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder({ maxListBytes: 16_384, maxFields: 100 });
  try {
    for (let i = 0; i < 10; i++) {
      const fields = headerList(random);
      const target = Buffer.alloc(encoder.bound(fields));
      const block = target.subarray(0, encoder.encode(fields, target, 0));
      input = random.chance(0.7) ? mutate(Buffer.from(block), random) : block;
      const { fields: read } = decoder.decode(input);
      if (read.length > 200) throw new Error("more fields than allowed");
    }
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
  }
}

function headerList(random: Random): string[] {
  const fields: string[] = [];
  for (let i = random.below(12); i > 0; i--) {
    const name = random.pick([
      ":method",
      ":path",
      ":status",
      "content-type",
      "grpc-timeout",
      "grpc-encoding",
      "x-bin",
      "traceparent",
    ]);
    fields.push(
      name,
      random.pick(["POST", "200", "application/grpc", "1S", "gzip", "AP8", "0n", random.text(30), random.text(300)]),
    );
  }
  return fields;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What a peer may well send: a few exchanges, with everything else between them. */
function session(random: Random, role: "client" | "server"): Buffer {
  const encoder = new HeaderEncoder();
  const block = (fields: readonly string[]): Buffer => {
    const target = Buffer.alloc(encoder.bound(fields));
    return target.subarray(0, encoder.encode(fields, target, 0));
  };
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(1 + random.below(7), 0);
  setting.writeUInt32BE(random.pick([0, 1, 100, 16_384, 65_535, 2 ** 20]), 2);
  const parts: Buffer[] = role === "client" ? [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")] : [];
  parts.push(frame(4, 0, 0, random.chance(0.5) ? setting : Buffer.alloc(0)));
  const head =
    role === "client"
      ? [":method", "POST", ":scheme", "http", ":path", "/a.B/C", "te", "trailers", "content-type", "application/grpc"]
      : [":status", "200", "content-type", "application/grpc"];
  for (let stream = 1; stream < 10; stream += 2) {
    const message = Buffer.concat([Buffer.from([random.below(2), 0, 0, 0, 20]), Buffer.alloc(20, random.below(256))]);
    parts.push(frame(1, 4, stream, block([...head, ...headerList(random)])));
    parts.push(frame(0, role === "client" ? 1 : 0, stream, message));
    if (role === "server") parts.push(frame(1, 5, stream, block(["grpc-status", random.pick(["0", "5", "99", "x"])])));
    const extra = [
      () => frame(2, 0, stream, Buffer.alloc(5)),
      () => frame(3, 0, stream, Buffer.alloc(4, random.below(14))),
      () => frame(6, random.below(2), 0, Buffer.alloc(8)),
      () => frame(7, 0, 0, Buffer.alloc(8 + random.below(20))),
      () => frame(8, 0, random.chance(0.5) ? 0 : stream, Buffer.from([0, 0, random.below(256), 1])),
      () => frame(9, 4, stream, block(headerList(random))),
      () => frame(0, 8, stream, Buffer.from([random.below(20), ...Buffer.alloc(30)])),
      () => frame(random.below(256), random.below(256), stream, Buffer.alloc(random.below(50))),
    ];
    for (let i = random.below(3); i > 0; i--) parts.push(random.pick(extra)());
  }
  return Buffer.concat(parts);
}

function mutate(octets: Buffer, random: Random): Buffer {
  let mutated = octets;
  for (let i = random.below(6); i > 0 && mutated.length > 0; i--) {
    const at = random.below(mutated.length);
    switch (random.below(5)) {
      case 0:
        mutated[at] = random.below(256);
        break;
      case 1:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + 1 + random.below(10))]);
        break;
      case 2:
        mutated = Buffer.concat([mutated.subarray(0, at), random.bytes(1 + random.below(10)), mutated.subarray(at)]);
        break;
      case 3:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at, at + 60), mutated.subarray(at)]);
        break;
      default:
        mutated = Buffer.from(mutated.subarray(0, at));
    }
  }
  return mutated;
}
