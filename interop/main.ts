import { parseArgs } from "node:util";
import { commandLine } from "./peers/command-line.ts";
import { conformance } from "./peers/conformance.ts";
import { grpcGo } from "./peers/grpc-go.ts";
import { h2spec } from "./peers/h2spec.ts";
import { javascript } from "./peers/javascript.ts";
import { grpcio } from "./peers/python.ts";
import { pythonHpack } from "./peers/python-hpack.ts";
import { createReport, type Report } from "./report.ts";

const peers: Readonly<Record<string, (report: Report) => Promise<void>>> = {
  javascript,
  "grpc-go": grpcGo,
  python: grpcio,
  "python-hpack": pythonHpack,
  "command-line": commandLine,
  h2spec,
  conformance,
};

const { positionals } = parseArgs({ allowPositionals: true });
const wanted = positionals.length === 0 ? Object.keys(peers) : positionals;
const unknown = wanted.find((name) => peers[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(`interop: there is no ${unknown}: npm run test:interop -- [${Object.keys(peers).join("|")}]…\n`);
  process.exit(2);
}
const report = createReport();
for (const name of wanted) {
  process.stdout.write(`\n${name}\n`);
  // A peer that can't even be started has failed.
  await peers[name]?.(report).catch((error: unknown) => report.check(name, () => Promise.reject(error)));
}
process.exit(report.finish());
