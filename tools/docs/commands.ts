import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A command that a page names and that is run elsewhere: by the file, which must name what runs it. */
interface Elsewhere {
  readonly file: string;
  readonly names: string;
}

/**
 * Blocks that are one of these commands are not run here, since they take minutes, end the stack that the others need, or want
 * Docker. What is run elsewhere is checked for still being there.
 */
const elsewhere: Readonly<Record<string, Elsewhere>> = {
  "npm test": { file: ".ci/run", names: "npm test" },
  "npm run dev -- --cluster": { file: "packages/devstack/src/cluster.test.ts", names: "cluster: true" },
  "npm run dev:reset": { file: "packages/devstack/src/commands/reset.ts", names: "weft reset" },
  "npm run test:faults": { file: ".ci/run", names: "npm run test:faults" },
  "npm run bench -- dev --json": { file: ".ci/run", names: "npm run bench -- dev --ci" },
  "npm run bench -- checkout": { file: ".ci/run", names: "npm run bench -- checkout --ci" },
  "npm run bench -- events": { file: ".ci/run", names: "npm run bench -- events --ci" },
  "npm run bench -- mesh": { file: ".ci/run", names: "npm run bench -- mesh --ci" },
  "npm run bench -- balance": { file: ".ci/run", names: "npm run bench -- balance --ci" },
  "npm run bench -- registry": { file: ".ci/run", names: "npm run bench -- registry --ci" },
  "docker compose up --build": { file: "docker-compose.yml", names: "docker compose up --build" },
};

export type Command =
  /** The stack, with these services; undefined means all. */
  | { readonly kind: "dev"; readonly services: readonly string[] | undefined }
  /** Writes a new workspace into the lock file and links it. */
  | { readonly kind: "install" }
  | { readonly kind: "elsewhere" }
  | { readonly kind: "script" };

/** What is to be done about a `sh` block. Throws an Error when it is said to be run elsewhere, and isn't. */
export function commandOf(root: string, text: string): Command {
  const command = text.trim();
  const dev = /^npm run dev(?: -- --only=(\S+))?$/.exec(command);
  if (dev !== null) return { kind: "dev", services: dev[1]?.split(",") };
  if (command === "npm install") return { kind: "install" };
  const other = elsewhere[command];
  if (other === undefined) return { kind: "script" };
  if (!readFileSync(join(root, other.file), "utf8").includes(other.names)) {
    throw new Error(`${command} was said to be run by ${other.file}, which doesn't name ${other.names} any more`);
  }
  return { kind: "elsewhere" };
}
