#!/usr/bin/env node
// What buf and protoc start. In the repository it runs the TypeScript sources; installed, it runs what was built of them.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const sources = fileURLToPath(new URL("../src/main.ts", import.meta.url));
if (existsSync(sources)) {
  // The workspace packages that it imports are sources too, and a condition can only be given at start.
  const node = spawnSync(process.execPath, ["--conditions=source", sources, ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  if (node.error) throw node.error;
  process.exit(node.status ?? 1);
}
await import("../dist/main.js");
