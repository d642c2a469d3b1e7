// `node tools/lint/imports.ts [root]`: the import table, the layers of services and cycles. Exit 1 and one line a finding.
import { relative, resolve } from "node:path";
import { findCycles } from "./cycles.ts";
import * as rules from "./import-table.ts";
import { checkImports, type Finding } from "./rules.ts";
import { readWorkspace } from "./workspace.ts";

const root = resolve(process.argv[2] ?? ".");
const packages = readWorkspace(root);
const cycles = findCycles(packages).map((ring): Finding => {
  const names = ring.map((path) => relative(root, path));
  return { where: names[0] ?? "", message: `import cycle: ${[...names, names[0]].join(" → ")}` };
});
const findings = [...checkImports(root, packages, rules), ...cycles];
for (const { where, message } of findings) process.stderr.write(`${where}: ${message}\n`);
const files = packages.reduce((sum, one) => sum + one.files.length, 0);
process.stdout.write(`imports: ${packages.length} packages, ${files} files, ${findings.length} findings\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
