import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { HeaderDecoder, HeaderEncoder } from "@weft/wire";
import type { Report } from "../report.ts";
import { python } from "../tools.ts";

const lists = 5_000;
const sizes = [0, 64, 256, 1_000, 4_096];

/** Python's hpack, which shares no line with nghttp2: our blocks read by it and its blocks read by us, while tables change their sizes. */
export async function pythonHpack(report: Report): Promise<void> {
  const tool = await python("hpack");
  if ("missing" in tool) {
    report.skip("Python hpack", tool.missing);
    return;
  }
  await report.check(`Python hpack: ${lists} header lists in both directions`, () => exchange(tool.path), 120_000);
}

async function exchange(path: string): Promise<void> {
  const child = spawn(path, [join(import.meta.dirname, "../python/hpack_peer.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const encoder = new HeaderEncoder();
    const decoder = new HeaderDecoder({ maxListBytes: 1 << 20, maxFields: 1_000 });
    for (let i = 0; i < lists; i++) {
      const fields = listOf(i);
      const asked: Record<string, unknown> = { fields, huffman: i % 3 !== 0 };
      if (i % 50 === 25) {
        const size = pick(sizes, i / 50);
        encoder.allowTableSize(size);
        asked.allow = size;
      }
      if (i % 70 === 35) asked.resize = pick(sizes, i / 70);
      const flat = fields.flat();
      const target = Buffer.alloc(encoder.bound(flat));
      asked.block = target.subarray(0, encoder.encode(flat, target, 0)).toString("hex");
      child.stdin.write(`${JSON.stringify(asked)}\n`);
      const answer = JSON.parse(String((await lines.next()).value)) as { fields: string[][]; block: string };
      assert.deepEqual(answer.fields, fields, `list ${i}, read by Python`);
      assert.deepEqual(decoder.decode(Buffer.from(answer.block, "hex")).fields, flat, `list ${i}, written by Python`);
    }
  } finally {
    child.kill();
  }
}

function pick<T>(from: readonly T[], i: number): T {
  return from[Math.floor(i) % from.length] as T;
}

/** Fields that come again and fields that don't, of all lengths. */
function listOf(i: number): [string, string][] {
  const fields: [string, string][] = [
    [":method", pick(["GET", "POST"], i)],
    [":path", `/a.B/${i % 7}`],
  ];
  for (let n = 0; n < (i * 7) % 9; n++) {
    const name = pick(
      ["te", "content-type", "grpc-timeout", "traceparent", "authorization", `x-${n}`, `x-${i}`],
      i + n,
    );
    fields.push([
      name,
      pick(
        ["trailers", "", "same again", `value ${i * n}`, "\u00e9\u00ff ~".repeat(n), "y".repeat((i * n) % 3_000)],
        i * 3 + n,
      ),
    ]);
  }
  return fields;
}
