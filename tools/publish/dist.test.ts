import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
}

const repository = resolve(import.meta.dirname, "../..");
const published = readdirSync(join(repository, "packages"))
  .map((name) => join(repository, "packages", name))
  .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest }))
  .filter(({ manifest }) => manifest.private !== true);
let user: string;

/** A user's project: what `npm pack` makes of each package, unpacked as npm would, beside the libraries that they need. */
beforeAll(() => {
  run("turbo", ["run", "build", "--output-logs=errors-only"], repository);
  user = mkdtempSync(join(tmpdir(), "weft-user-"));
  const modules = join(user, "node_modules");
  mkdirSync(join(modules, "@weft"), { recursive: true });
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (!name.startsWith(".") && !["@weft", "@shop"].includes(name)) {
      symlinkSync(join(repository, "node_modules", name), join(modules, name));
    }
  }
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", user];
  run("npm", [...pack, ...published.map(({ manifest }) => `--workspace=${manifest.name}`)], repository);
  for (const archive of readdirSync(user).filter((name) => name.endsWith(".tgz"))) {
    run("tar", ["-xzf", archive], user);
    const { name } = JSON.parse(readFileSync(join(user, "package/package.json"), "utf8")) as Manifest;
    cpSync(join(user, "package"), join(modules, name), { recursive: true });
    rmSync(join(user, "package"), { recursive: true });
  }
  writeFileSync(join(user, "package.json"), JSON.stringify({ type: "module" }));
}, 300_000);

afterAll(() => rmSync(user, { recursive: true, force: true }));

const entries = published.flatMap(({ manifest }) =>
  Object.keys(manifest.exports ?? {})
    .map((path) => path.replace("*", "weft/policy/v1/policy"))
    .map((path) => `${manifest.name}${path.slice(1)}`),
);

test.each(entries)("a user imports %s without the source condition", (entry) => {
  const program = `await import("${entry}"); console.log(import.meta.resolve("${entry}"));`;
  const file = run("node", ["--input-type=module", "--eval", program], user);
  expect(file).toContain("/dist/");
});

test("a user's TypeScript sees the declarations of every entry", () => {
  const imports = entries.map((entry, index) => `import type * as entry${index} from "${entry}";`);
  const uses = entries.map((_entry, index) => `keyof typeof entry${index}`);
  writeFileSync(join(user, "user.ts"), `${imports.join("\n")}\nexport type All = ${uses.join(" | ")};\n`);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", "node", "user.ts"];
  expect(run("tsc", options, user)).toBe("");
});

/** Runs a program of the repository with its own Node, and gives back what it printed; its whole output is in the error otherwise. */
function run(program: string, args: readonly string[], cwd: string): string {
  const path = `${join(repository, "node_modules/.bin")}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, NODE_OPTIONS: "", DO_NOT_TRACK: "1" };
  try {
    return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
