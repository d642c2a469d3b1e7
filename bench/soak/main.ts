import { parseArgs } from "node:util";
import { startPair } from "../rpc/pair.ts";

// Calls for so many minutes, between two processes, of all kinds in turn: their memory stays as it was.

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const endAt = Date.now() + 60_000 * Number(values.minutes);
const allowedMiB = 48;

const pair = await startPair("weft");
const kinds = [
  { operation: "unary", concurrency: 64, measuredMs: 8_000 },
  { operation: "unary", concurrency: 256, measuredMs: 4_000 },
  { operation: "stream", concurrency: 8, measuredMs: 1_000 },
  { operation: "abandoned", concurrency: 32, measuredMs: 2_000 },
  { operation: "picture", concurrency: 2, measuredMs: 500 },
] as const;
let calls = 0;
let errors = 0;
let settled: readonly number[] | undefined;
while (Date.now() < endAt) {
  for (const kind of kinds) {
    const measured = await pair.perform({ ...kind, warmUpMs: 0 });
    errors += measured.errors;
    calls += measured.calls;
    if (measured.firstError !== undefined) process.stderr.write(`soak: ${kind.operation}: ${measured.firstError}\n`);
  }
  const now = pair.memory();
  // What is compiled and cached has its size after a while.
  if (settled === undefined && calls > 500_000) settled = now;
  process.stdout.write(`soak: ${calls} calls, ${errors} errors, client and server ${now.join(" and ")} MiB\n`);
}
const grown = pair.memory().map((now, i) => now - (settled?.[i] ?? now));
await pair.close();
const isFlat = settled !== undefined && grown.every((mib) => mib < allowedMiB);
process.stdout.write(`soak: memory grew by ${grown.join(" and ")} MiB (allowed: ${allowedMiB})\n`);
if (settled === undefined) process.stderr.write("soak: too short to say whether memory stays as it is\n");
process.exit(isFlat && errors === 0 ? 0 : 1);
