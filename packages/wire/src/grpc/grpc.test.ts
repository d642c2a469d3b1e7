import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBinary, encodeBinary } from "./binary-metadata.ts";
import { frameMessage, MessageReader, type MessageSink } from "./message-reader.ts";
import { grpcCode } from "./status.ts";
import { decodeStatusMessage, encodeStatusMessage } from "./status-message.ts";
import { formatTimeout, parseTimeout } from "./timeout.ts";

describe("grpc-timeout", () => {
  it.each([
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3_000],
    ["4m", 4],
    ["5u", 0.005],
    ["0n", 0],
    ["3000000S", 3_000_000_000],
    ["99999999H", 99_999_999 * 3_600_000],
  ])("%s", (text, ms) => {
    expect(parseTimeout(text)).toBeCloseTo(ms, 9);
  });

  it.each(["", "1", "S", "-1S", "1e9", "1.5S", "123456789m", "1s", " 1S", "1S "])("%j is none", (text) => {
    expect(parseTimeout(text)).toBeUndefined();
  });

  it("that is written is never longer than what was meant, and hardly shorter", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e13, noNaN: true }), (ms) => {
        const written = parseTimeout(formatTimeout(ms)) as number;
        expect(written).toBeLessThanOrEqual(ms * (1 + 1e-9));
        expect(written).toBeGreaterThan(ms < 1e11 ? 0.98 * ms - 0.001 : 0.9 * ms);
      }),
    );
    expect(parseTimeout(formatTimeout(-5))).toBeGreaterThan(0);
  });
});

function sink(takeMessage: MessageSink["takeMessage"]): MessageSink {
  return { takeMessage };
}

describe("messages", () => {
  const message = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ maxLength: 40_000, size: "max" }));

  it("come as they were framed, however they are cut into chunks", () => {
    const cuts = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 30_000 })));
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.boolean()), { maxLength: 8 }), cuts, (messages, sizes) => {
        const seen: [Uint8Array, boolean][] = [];
        const reader = new MessageReader(
          40_000,
          sink((bytes, compressed) => {
            seen.push([Uint8Array.from(bytes), compressed]);
          }),
        );
        const all = Buffer.concat(messages.map(([bytes, compressed]) => frameMessage(bytes, compressed)));
        for (let at = 0; at < all.length; ) {
          const size = sizes.next().value as number;
          reader.read(all, at, Math.min(at + size, all.length));
          at += size;
        }
        expect(seen).toEqual(messages);
        expect(reader.isWithinMessage).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it("above the limit are refused by their prefix, and nothing is held for them", () => {
    const reader = new MessageReader(
      4 * 1024 * 1024,
      sink(() => expect.unreachable("there is no message")),
    );
    const claim = Buffer.from("00ffffffff", "hex");
    expect(() => reader.read(claim, 0, 5)).toThrow(expect.objectContaining({ code: grpcCode.resourceExhausted }));
  });

  it("with flags that nobody knows are refused", () => {
    const reader = new MessageReader(
      100,
      sink(() => expect.unreachable("there is no message")),
    );
    const flagged = Buffer.from("4000000000", "hex");
    expect(() => reader.read(flagged, 0, 5)).toThrow(expect.objectContaining({ code: grpcCode.internal }));
  });

  it("that end too early leave the reader within one", () => {
    const reader = new MessageReader(
      100,
      sink(() => {}),
    );
    const framed = frameMessage(Buffer.from("hello"), false);
    reader.read(framed, 0, 3);
    expect(reader.isWithinMessage).toBe(true);
    reader.read(framed, 3, 9);
    expect(reader.isWithinMessage).toBe(true);
    reader.read(framed, 9, 10);
    expect(reader.isWithinMessage).toBe(false);
  });
});

describe("grpc-message", () => {
  it.each([
    ["plain text", "plain text"],
    ["100 % of it", "100 %25 of it"],
    ["ä\n", "%C3%A4%0A"],
  ])("%j is written as %j", (text, encoded) => {
    expect(encodeStatusMessage(text)).toBe(encoded);
  });

  it("comes back, whatever it says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decodeStatusMessage(encodeStatusMessage(text))).toBe(text);
        expect(encodeStatusMessage(text)).toMatch(/^[ -~]*$/);
      }),
    );
  });

  it.each(["100 %", "%zz", "%4"])("%j, which is no encoding, stays", (encoded) => {
    expect(decodeStatusMessage(encoded)).toBe(encoded);
  });
});

describe("binary metadata", () => {
  it("comes back, with padding and without, several in one field", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array(), { minLength: 1 }), (values) => {
        const bare = values.map(encodeBinary).join(",");
        const padded = values.map((value) => Buffer.from(value).toString("base64")).join(", ");
        for (const field of [bare, padded])
          expect(decodeBinary(field)?.map((value) => Uint8Array.from(value))).toEqual(values);
        expect(bare).not.toContain("=");
      }),
    );
  });

  it.each(["a", "!!!!", "YQ=", "YQ===", "Y=Q=", "YQ,*"])("%j is refused", (field) => {
    expect(decodeBinary(field)).toBeUndefined();
  });
});
