import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeaderDecoder } from "../hpack/header-decoder.ts";
import { HeaderEncoder } from "../hpack/header-encoder.ts";
import { type FrameHandler, FrameReader, type FrameReaderOptions } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { errorCode, setting } from "./protocol.ts";

/** What a reader tells, as a list; the pieces of a DATA frame are one entry. */
function record(options: Partial<FrameReaderOptions> = {}) {
  const seen: unknown[][] = [];
  const decoder = new HeaderDecoder({ maxListBytes: 1 << 24, maxFields: 10_000 });
  let data = Buffer.alloc(0);
  const handler: FrameHandler = {
    onHeaders(stream, bytes, start, end, endStream) {
      seen.push(["headers", stream, decoder.decode(bytes, start, end).fields, endStream]);
    },
    onData(stream, bytes, start, end, padding, endStream) {
      data = Buffer.concat([data, bytes.subarray(start, end)]);
      const last = seen.at(-1);
      if (last?.[0] === "data" && last[1] === stream && last[4] === false) seen.pop();
      else data = data.subarray(data.length - (end - start));
      seen.push(["data", stream, data.toString("latin1"), padding, endStream]);
    },
    onRstStream: (...told) => seen.push(["rstStream", ...told]),
    onSettings: (...told) => seen.push(["settings", ...told]),
    onSettingsAck: () => seen.push(["settingsAck"]),
    onPing: (bytes, start, ack) => seen.push(["ping", bytes.toString("latin1", start, start + 8), ack]),
    onGoaway: (...told) => seen.push(["goaway", ...told]),
    onWindowUpdate: (...told) => seen.push(["windowUpdate", ...told]),
    onIgnored: () => seen.push(["ignored"]),
  };
  return {
    seen,
    reader: new FrameReader(handler, { maxHeaderBlockBytes: 1 << 24, maxContinuations: 1_000, ...options }),
  };
}

const stream = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const code = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const octets = (length: fc.SizeForArbitrary | undefined, maxLength: number) =>
  fc.uint8Array({ maxLength, ...(length && { size: length }) }).map((bytes) => Buffer.from(bytes));
const field = fc.tuple(
  fc.constantFrom("x-a", "x-b", ":path", "content-type"),
  fc.oneof(fc.constantFrom("", "application/grpc", "v".repeat(9_000)), fc.stringMatching(/^[!-~]{1,30}$/)),
);
const fields = fc.array(field, { maxLength: 6 }).map((list) => list.flat());

type Step = { readonly write: (writer: FrameWriter) => void; readonly told: readonly unknown[] };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(stream, fields, fields, fc.boolean()).map(([id, same, rest, end]) => ({
    write: (writer: FrameWriter) => writer.headers(id, same, rest, end),
    told: ["headers", id, [...same, ...rest], end],
  })),
  fc.tuple(stream, fc.oneof(octets(undefined, 50), octets("max", 16_384))).map(([id, bytes]) => ({
    write: (writer: FrameWriter) => writer.data(id, bytes, true),
    told: ["data", id, bytes.toString("latin1"), 0, true],
  })),
  fc.tuple(stream, code).map(([id, error]) => ({
    write: (writer: FrameWriter) => writer.rstStream(id, error),
    told: ["rstStream", id, error],
  })),
  fc
    .array(fc.tuple(fc.constantFrom(setting.headerTableSize, setting.maxConcurrentStreams, 0x99), code))
    .map((list) => ({
      write: (writer: FrameWriter) => writer.settings(list),
      told: ["settings", list],
    })),
  fc.constant({ write: (writer: FrameWriter) => writer.settingsAck(), told: ["settingsAck"] }),
  fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.boolean()).map(([payload, ack]) => ({
    write: (writer: FrameWriter) => writer.ping(payload, ack),
    told: ["ping", Buffer.from(payload).toString("latin1"), ack],
  })),
  fc.tuple(stream, code, fc.string({ maxLength: 100, unit: "grapheme" })).map(([id, error, why]) => ({
    write: (writer: FrameWriter) => writer.goaway(id, error, why),
    told: ["goaway", id, error, why],
  })),
  fc.tuple(fc.oneof(stream, fc.constant(0)), stream).map(([id, increment]) => ({
    write: (writer: FrameWriter) => writer.windowUpdate(id, increment),
    told: ["windowUpdate", id, increment],
  })),
);

it("any frames are read as they were written, however the octets are cut into chunks", () => {
  const cuts = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20_000 })));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), cuts, (steps, together, sizes) => {
      const { seen, reader } = record();
      const writer = new FrameWriter(new HeaderEncoder(), () => {});
      const pieces: Buffer[] = [];
      let written = 0;
      for (const [i, { write }] of steps.entries()) {
        write(writer);
        if (i % together !== 0) continue;
        written += writer.length;
        pieces.push(...writer.take());
      }
      written += writer.length;
      pieces.push(...writer.take());
      const all = Buffer.concat(pieces);
      expect(all).toHaveLength(written);
      for (let at = 0; at < all.length; ) {
        const size = sizes.next().value as number;
        reader.read(all.subarray(at, at + size));
        at += size;
      }
      expect(seen).toEqual(steps.map(({ told }) => told));
    }),
    { numRuns: 1_000 },
  );
});

it("frames of one turn are one piece, but for large payloads, which are not copied", () => {
  const writer = new FrameWriter(new HeaderEncoder(), () => {});
  for (const id of [1, 3, 5]) {
    writer.headers(id, [":status", "200"], [], false);
    writer.data(id, Buffer.from("hello"), true);
  }
  expect(writer.take()).toHaveLength(1);
  expect(writer.take()).toEqual([]);
  const large = Buffer.alloc(10_000);
  writer.data(7, large, false);
  writer.windowUpdate(0, 1);
  const [, payload, ...after] = writer.take();
  expect(payload?.buffer).toBe(large.buffer);
  expect(after).toHaveLength(1);
});

describe("padding", () => {
  it("is left away and counted", () => {
    const { seen, reader } = record();
    const frame = Buffer.from("0000050009000000010261620000", "hex");
    for (const octet of frame) reader.read(Buffer.from([octet]));
    expect(seen).toEqual([["data", 1, "ab", 3, true]]);
  });

  it("and a priority are left away from a header block", () => {
    const { seen, reader } = record();
    reader.read(Buffer.from("00000801" + "2d" + "00000001" + "01" + "0000000010" + "82" + "00", "hex"));
    expect(seen).toEqual([["headers", 1, [":method", "GET"], true]]);
  });
});

describe("what means nothing is passed over", () => {
  it.each([
    ["a kind of frame that nobody knows", "0000030a0000000000616263"],
    ["PRIORITY", "0000050200000000030000000110"],
  ])("%s", (_, hex) => {
    const { seen, reader } = record();
    reader.read(Buffer.from(`${hex}000000040100000000`, "hex"));
    expect(seen).toEqual([["ignored"], ["settingsAck"]]);
  });
});

const headersWithoutEnd = "000001010000000001" + "82";
describe("what breaks the rules ends the connection", () => {
  it.each([
    ["a frame above the limit", "0040010000000000010000", errorCode.frameSizeError],
    ["DATA on stream 0", "000001000000000000" + "61", errorCode.protocolError],
    ["HEADERS on stream 0", "000001010400000000" + "82", errorCode.protocolError],
    ["PRIORITY on stream 0", "0000050200000000000000000110", errorCode.protocolError],
    ["PRIORITY of 4 octets", "00000402000000000100000000", errorCode.frameSizeError],
    ["a stream that depends on itself", "0000050200000000010000000110", errorCode.protocolError],
    ["RST_STREAM on stream 0", "00000403000000000000000008", errorCode.protocolError],
    ["RST_STREAM of 3 octets", "000003030000000001000008", errorCode.frameSizeError],
    ["SETTINGS on a stream", "000000040000000001", errorCode.protocolError],
    ["SETTINGS of 5 octets", "0000050400000000000001000010", errorCode.frameSizeError],
    ["an acknowledgement with settings", "000006040100000000000100001000", errorCode.frameSizeError],
    ["ENABLE_PUSH of 2", "000006040000000000000200000002", errorCode.protocolError],
    ["INITIAL_WINDOW_SIZE of 2^31", "000006040000000000000480000000", errorCode.flowControlError],
    ["MAX_FRAME_SIZE of 16,383", "000006040000000000000500003fff", errorCode.protocolError],
    ["MAX_FRAME_SIZE of 2^24", "000006040000000000000501000000", errorCode.protocolError],
    ["PUSH_PROMISE", "0000050504000000010000000282", errorCode.protocolError],
    ["PING on a stream", "0000080600000000010000000000000000", errorCode.protocolError],
    ["PING of 7 octets", "00000706000000000000000000000000", errorCode.frameSizeError],
    ["GOAWAY on a stream", "0000080700000000010000000000000000", errorCode.protocolError],
    ["GOAWAY of 7 octets", "00000707000000000000000000000000", errorCode.frameSizeError],
    ["WINDOW_UPDATE of 3 octets", "000003080000000000000001", errorCode.frameSizeError],
    ["WINDOW_UPDATE of 0", "00000408000000000000000000", errorCode.protocolError],
    ["CONTINUATION without HEADERS", "000001090400000001" + "82", errorCode.protocolError],
    ["another frame within a header block", `${headersWithoutEnd}000000040100000000`, errorCode.protocolError],
    ["CONTINUATION of another stream", `${headersWithoutEnd}00000109040000000382`, errorCode.protocolError],
    ["more padding than DATA has octets", "000002000800000001" + "0261", errorCode.protocolError],
    ["padded DATA without the padding's length", "000000000800000001", errorCode.frameSizeError],
    ["HEADERS that end within their priority", "000002012400000001" + "0000", errorCode.frameSizeError],
  ])("%s", (_, hex, code) => {
    expect(() => record().reader.read(Buffer.from(hex, "hex"))).toThrow(expect.objectContaining({ code }));
  });

  it("a header block that is too large, or in too many frames", () => {
    const calm = expect.objectContaining({ code: errorCode.enhanceYourCalm });
    const small = record({ maxHeaderBlockBytes: 3 }).reader;
    small.read(Buffer.from(headersWithoutEnd, "hex"));
    expect(() => small.read(Buffer.from("000003090400000001828282", "hex"))).toThrow(calm);
    const few = record({ maxContinuations: 2 }).reader;
    few.read(Buffer.from(headersWithoutEnd, "hex"));
    const empty = Buffer.from("000000090000000001", "hex");
    few.read(Buffer.concat([empty, empty]));
    expect(() => few.read(empty)).toThrow(calm);
  });
});
