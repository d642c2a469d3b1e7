import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A workspace in a folder that only its owner can enter, as `mktemp -d` makes it. */
export function createWorkspace(files: Readonly<Record<string, string>>): { root: string; dataDir: string } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "weft-devstack-")));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return { root, dataDir: join(root, ".weft") };
}

/** The smallest service that keeps the contract: it answers over HTTP with its variables, says "ready", stops on SIGTERM. */
export function serviceSource(name: string): string {
  return `
import { createServer } from "node:http";
const server = createServer((_request, response) => response.end(JSON.stringify(process.env)));
server.listen(Number(process.env.PORT), process.env.HOST, () => {
  const address = "127.0.0.1:" + server.address().port;
  console.log(JSON.stringify({ level: "info", time: Date.now(), msg: "ready", service: "${name}", address }));
});
process.on("SIGTERM", () => server.close(() => process.exit(0)));
`;
}

export const shop = {
  "packages/store/package.json": JSON.stringify({ name: "@weft/store", dependencies: {} }),
  "packages/store/src/index.ts": "",
  "packages/money/package.json": JSON.stringify({ name: "@weft/money" }),
  "packages/money/src/index.ts": "",
  "services/order/package.json": JSON.stringify({
    name: "@shop/order",
    type: "module",
    dependencies: { "@weft/store": "*", "@weft/money": "*" },
  }),
  "services/order/src/main.ts": serviceSource("order"),
  "services/user/package.json": JSON.stringify({
    name: "@shop/user",
    type: "module",
    dependencies: { "@weft/store": "*" },
  }),
  "services/user/src/main.ts": serviceSource("user"),
};

/** This machine's programs, and nobody's servers: tests must start their own even where `npm test` has started some. */
export const programsOnly: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: process.env.HOME };
