#!/usr/bin/env node
// The way in, before anything is installed: plain JavaScript for Node 20 and up, built-in modules only. It makes the
// install match the lock file and goes on with the pinned Node, in TypeScript (src/cli.ts).
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const binaries = join(root, "node_modules", ".bin");
const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(`Node ${process.versions.node} is too old to begin with: Node 20 or newer is needed.`);
}
const reason = whyInstall();
if (reason !== undefined) install(reason);
goOn();

/**
 * npm writes node_modules/.package-lock.json as the last act of an install. What it lists must be what
 * package-lock.json asks for; optional packages of other platforms may be missing.
 */
function whyInstall() {
  const wanted = readLock(join(root, "package-lock.json"));
  if (wanted === undefined) fail("package-lock.json is missing or broken.");
  const installed = readLock(join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return "nothing is installed yet";
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes("node_modules/")) continue;
    const found = installed[path];
    if (found === undefined && (entry.optional || entry.peer)) continue;
    if (found === undefined) return `${path} is missing`;
    if (found.version !== entry.version || found.integrity !== entry.integrity) return `${path} has changed`;
  }
  return existsSync(node) ? undefined : "the pinned Node is missing";
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

function install(why) {
  process.stderr.write(`weft: ${why}; installing what package-lock.json says (npm ci)\n`);
  // Bench and demo print facts on stdout: what npm says goes to stderr.
  const { status, error } = spawnSync(
    process.platform === "win32" ? "npm.cmd" : "npm",
    ["ci", "--no-fund", "--no-audit", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      // The settings of the `npm run` around this one are not those of the install.
      env: Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|command)/.test(name)),
      ),
    },
  );
  if (status !== 0) fail(`npm ci failed${error ? `: ${error.message}` : ""}.`);
  if (!existsSync(node))
    fail("npm ci ran, but the package `node` brought no program: were its install scripts forbidden?");
}

function goOn() {
  const args = ["--conditions=source", join(root, "packages", "devstack", "src", "cli.ts"), ...process.argv.slice(2)];
  const env = { ...process.env, PATH: [binaries, process.env.PATH].filter(Boolean).join(delimiter), WEFT_ROOT: root };
  const launcher = launcherPid();
  if (launcher !== undefined) env.WEFT_LAUNCHER = String(launcher);
  // Newer Nodes become the other program; Node 20 stays beside it and passes signals on.
  if (typeof process.execve === "function") return process.execve(node, [node, ...args], env);
  const child = spawn(node, args, { stdio: "inherit", env: { ...env, WEFT_WRAPPER: String(process.pid) } });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`${node} can't be started: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** The npm that runs this script, past the shell between: when it is killed, what it started shall not go on. */
function launcherPid() {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  try {
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
    const shell = /^\d+ \((sh|bash|dash|ash|zsh)\)/.test(stat);
    return shell ? Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) : process.ppid;
  } catch {
    return process.ppid;
  }
}

function fail(message) {
  process.stderr.write(`weft: ${message}\n`);
  process.exit(1);
}
