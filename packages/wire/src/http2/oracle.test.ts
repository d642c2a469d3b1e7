import { once } from "node:events";
import http2 from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Http2Connection } from "./connection.ts";
import { errorCode } from "./protocol.ts";
import type { Http2Stream, StreamHandler } from "./stream.ts";

// Node's HTTP/2 (nghttp2) as the oracle, in both directions: whatever one end sends is what the other one gets, over connections that are
// used for thousands of exchanges, so that their tables fill up and their windows move.

const seed = Number(process.env.FC_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(process.env.FC_RUNS ?? 5_000);

/** Header fields, bodies in pieces, trailers, and the piece after which an end is reset instead. */
interface Exchange {
  readonly request: Fields;
  readonly response: Fields;
  readonly trailers: Fields;
  readonly sent: readonly Buffer[];
  readonly answered: readonly Buffer[];
  readonly resetAfter: number | undefined;
}

type Fields = readonly (readonly [string, string])[];

const token = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
const visible = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join("");
const ofCharacters = (characters: string, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });
// Few names and values that come again, so that they are found in tables, among many that don't.
const name = fc.oneof(
  fc.constantFrom("x-one", "x-two", "authorization", "user-agent"),
  ofCharacters(token, 20).map((rest) => `x-${rest}`),
);
const value = fc.oneof(
  fc.constantFrom("", "one", "two words"),
  ofCharacters(visible, 60),
  ofCharacters(visible, 2_000),
);
const fields = fc.uniqueArray(fc.tuple(name, value), { maxLength: 8, selector: ([each]) => each });
const piece = fc.oneof(fc.nat(100), fc.nat(40_000)).map((size) => Buffer.alloc(size, "weft"));
const pieces = fc.array(piece, { maxLength: 4 });
const exchange: fc.Arbitrary<Exchange> = fc.record({
  request: fields,
  response: fields,
  trailers: fields,
  sent: pieces,
  answered: pieces,
  resetAfter: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(3) }),
});

const closing: (() => void)[] = [];
beforeAll(() => process.stdout.write(`oracle: FC_SEED=${seed} FC_RUNS=${numRuns}\n`));
afterAll(() => {
  for (const close of closing) close();
});

/** What an end got of the other. */
class Got {
  fields: readonly (readonly [string, string])[] = [];
  trailers: readonly (readonly [string, string])[] = [];
  octets = 0;
  reset: number | undefined;
  readonly done = Promise.withResolvers<void>();

  add({ length }: Buffer): void {
    this.octets += length;
  }
}

/** Which exchange a request belongs to: one that was reset may come when the next has begun. */
class Runs {
  readonly #runs = new Map<string, { readonly seen: Got } & Exchange>();
  #last = 0;

  begin(exchange: Exchange): { readonly peer: Got; readonly field: readonly [string, string] } {
    const seen = new Got();
    this.#last += 1;
    this.#runs.set(String(this.#last), { seen, ...exchange });
    return { peer: seen, field: ["x-run", String(this.#last)] };
  }

  of(fields: Fields): { readonly seen: Got } & Exchange {
    const id = fields.find(([each]) => each === "x-run")?.[1] ?? "";
    const run = this.#runs.get(id);
    if (run === undefined) throw new Error(`there is no exchange ${id}`);
    this.#runs.delete(id);
    run.seen.fields = fields.filter(([each]) => each !== "x-run");
    return run;
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const field = flat[i] as string;
    if (!field.startsWith(":") && field !== "date") list.push([field, flat[i + 1] as string]);
  }
  return list;
}

const sorted = (list: Fields): Fields => list.toSorted(([a], [b]) => (a < b ? -1 : 1));
const lengthOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);

/** Notes what comes, and calls back at the end. */
function noting(got: Got, stream: () => Http2Stream, done: () => void): StreamHandler {
  return {
    onHeaders(list) {
      got.fields = pairs(list);
    },
    onData(_, start, end) {
      got.octets += end - start;
      stream().consume(end - start);
    },
    onTrailers(list) {
      got.trailers = pairs(list);
    },
    onEnd: done,
    onReset(code) {
      got.reset = code;
      done();
    },
    onDrained() {},
  };
}

function check(got: Got, peer: Got, { request, response, trailers, sent, answered, resetAfter }: Exchange): void {
  if (resetAfter !== undefined) {
    expect(peer.reset).toBe(errorCode.cancel);
    return;
  }
  expect(sorted(peer.fields)).toEqual(sorted(request));
  expect(peer.octets).toBe(lengthOf(sent));
  expect(sorted(got.fields)).toEqual(sorted(response));
  expect(got.octets).toBe(lengthOf(answered));
  expect(sorted(got.trailers)).toEqual(sorted(trailers));
}

describe.each([
  ["as it is", http2.constants.PADDING_STRATEGY_NONE],
  // PADDING_STRATEGY_ALIGNED, which Node's types leave out.
  ["padded", 1],
] as const)("with Node's HTTP/2, %s,", (_, paddingStrategy) => {
  it("what a client sends is what Node's server gets, and the other way round", async () => {
    const runs = new Runs();
    const server = http2.createServer({ paddingStrategy, maxSessionMemory: 100 });
    server.on("stream", (stream: http2.ServerHttp2Stream, _headers, _flags, raw) => {
      const { seen, response, trailers, answered } = runs.of(pairs(raw as unknown as string[]));
      stream.on("data", (chunk: Buffer) => seen.add(chunk));
      stream.on("error", () => {});
      stream.on("close", () => {
        if (stream.rstCode !== 0) seen.reset = stream.rstCode;
        seen.done.resolve();
      });
      stream.on("end", () => {
        if (stream.destroyed || stream.aborted) return;
        stream.respond(Object.fromEntries(response), { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers(Object.fromEntries(trailers)));
        for (const chunk of answered) stream.write(chunk);
        stream.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const socket = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    closing.push(() => socket.destroy());
    const client = new Http2Connection({ role: "client", socket, handler: { onClose() {} } });
    await once(socket, "data");
    await fc.assert(
      fc.asyncProperty(exchange, async (each) => {
        const { peer, field } = runs.begin(each);
        const got = new Got();
        const ended = Promise.withResolvers<void>();
        const same = [":method", "POST", ":scheme", "http", ":path", "/", ":authority", "localhost"];
        const handler = noting(got, () => stream, ended.resolve);
        const stream: Http2Stream = client.request(handler, same, [...field, ...each.request.flat()]);
        for (const [i, chunk] of each.sent.entries()) {
          if (i === each.resetAfter) break;
          stream.sendData(chunk);
        }
        if (each.resetAfter !== undefined) stream.reset(errorCode.cancel);
        else {
          stream.sendData(Buffer.alloc(0), true);
          await ended.promise;
        }
        await peer.done.promise;
        check(got, peer, each);
      }),
      { seed, numRuns: numRuns / 2 },
    );
  }, 600_000);

  it("what a server sends is what Node's client gets, and the other way round", async () => {
    const runs = new Runs();
    const server = createServer({ noDelay: true }, (socket: Socket) => {
      socket.on("error", () => {});
      closing.push(() => socket.destroy());
      const connection = new Http2Connection({
        role: "server",
        socket,
        handler: {
          onClose() {},
          onStream(stream, _head, list) {
            const { seen, response, trailers, answered } = runs.of(pairs(list));
            return noting(
              seen,
              () => stream,
              () => {
                seen.done.resolve();
                stream.sendHeaders([":status", "200"], response.flat());
                for (const chunk of answered) stream.sendData(chunk);
                if (trailers.length > 0) stream.sendTrailers([], trailers.flat());
                else stream.sendData(Buffer.alloc(0), true);
              },
            );
          },
        },
      });
      expect(connection.openStreams).toBe(0);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => server.close());
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      paddingStrategy,
      maxSessionMemory: 100,
    });
    closing.push(() => session.destroy());
    await once(session, "connect");
    await fc.assert(
      fc.asyncProperty(exchange, async (each) => {
        const { peer, field } = runs.begin(each);
        const got = new Got();
        const headers = Object.fromEntries([[":method", "POST"], [":path", "/"], field, ...each.request]);
        const stream = session.request(headers, { endStream: false });
        stream.on("response", (_headers, _flags, raw) => {
          got.fields = pairs(raw as unknown as string[]);
        });
        stream.on("trailers", (_headers, _flags, raw) => {
          got.trailers = pairs(raw as unknown as string[]);
        });
        stream.on("data", (chunk: Buffer) => got.add(chunk));
        stream.on("error", () => {});
        for (const [i, chunk] of each.sent.entries()) {
          if (i === each.resetAfter) break;
          stream.write(chunk);
        }
        if (each.resetAfter === undefined) stream.end();
        else if (stream.pending) stream.once("ready", () => stream.close(errorCode.cancel));
        else stream.close(errorCode.cancel);
        await once(stream, "close");
        // A stream that was reset before Node sent it has never been there.
        if (each.resetAfter === undefined) {
          await peer.done.promise;
          check(got, peer, each);
        } else if (peer.reset !== undefined) expect(peer.reset).toBe(errorCode.cancel);
      }),
      { seed, numRuns: numRuns / 2 },
    );
  }, 600_000);
});
