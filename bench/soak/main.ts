import { parseArgs } from "node:util";
import { startPair } from "../rpc/pair.ts";

// Calls for so many minutes, between two processes, of all kinds in turn: their memory stays as it was.

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const endAt = Date.now() + 60_000 * Number(values.minutes);
const allowedMiB = 32;

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
const seen: (readonly number[])[] = [];
while (Date.now() < endAt) {
  for (const kind of kinds) {
    const measured = await pair.perform({ ...kind, warmUpMs: 0 });
    errors += measured.errors;
    calls += measured.calls;
    if (measured.firstError !== undefined) process.stderr.write(`soak: ${kind.operation}: ${measured.firstError}\n`);
  }
  const now = pair.memory();
  seen.push(now);
  process.stdout.write(`soak: ${calls} calls, ${errors} errors, client and server ${now.join(" and ")} MiB\n`);
}
await pair.close();
// Garbage comes and goes: what is compared are the means of the second quarter, when what is compiled has its size, and of the last.
const quarter = Math.floor(seen.length / 4);
const mean = (from: number, process: number): number =>
  seen.slice(from, from + quarter).reduce((sum, mib) => sum + (mib[process] ?? 0), 0) / quarter;
const grown = [0, 1].map((process) => Math.round(mean(seen.length - quarter, process) - mean(quarter, process)));
process.stdout.write(`soak: memory grew by ${grown.join(" and ")} MiB (allowed: ${allowedMiB})\n`);
if (quarter === 0) process.stderr.write("soak: too short to say whether memory stays as it is\n");
process.exit(quarter > 0 && errors === 0 && grown.every((mib) => mib < allowedMiB) ? 0 : 1);
