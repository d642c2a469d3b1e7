import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

export const run = promisify(execFile);

const home = resolve(import.meta.dirname, "../.weft/interop");

/** A program, or why there is none. */
export type Tool = { readonly path: string } | { readonly missing: string };

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A program of Go's, built once into .weft. */
export async function goTool(name: string, source: string): Promise<Tool> {
  const path = join(home, "bin", `${name}@${source.split("@")[1]}`);
  if (await exists(path)) return { path };
  const bin = join(home, "bin", `build-${name}`);
  await mkdir(bin, { recursive: true });
  try {
    await run("go", ["install", source], { env: { ...process.env, GOBIN: bin, GOFLAGS: "-mod=mod" } });
  } catch (error) {
    return { missing: reasonOf(error, "go", source) };
  }
  await rename(join(bin, source.split("@")[0]?.split("/").at(-1) ?? name), path);
  return { path };
}

/** The folder of a module of Go's, as its cache has it. */
export async function goModule(module: string): Promise<Tool> {
  try {
    const { stdout } = await run("go", ["mod", "download", "-json", module]);
    return { path: (JSON.parse(stdout) as { Dir: string }).Dir };
  } catch (error) {
    return { missing: reasonOf(error, "go", module) };
  }
}

/** A Python of its own, with packages. */
export async function python(...packages: readonly string[]): Promise<Tool> {
  const path = join(home, "venv", "bin", "python");
  try {
    if (!(await exists(path))) await run("python3", ["-m", "venv", join(home, "venv")]);
    await run(path, ["-m", "pip", "install", "--quiet", ...packages]);
    return { path };
  } catch (error) {
    return { missing: reasonOf(error, "python3", packages.join(" ")) };
  }
}

/** A program that the machine has, or has not. */
export async function installed(name: string, debian: string): Promise<Tool> {
  try {
    await run("which", [name]);
    return { path: name };
  } catch {
    return { missing: `${name} is not installed (Debian: ${debian})` };
  }
}

function reasonOf(error: unknown, program: string, what: string): string {
  const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
  if (code === "ENOENT") return `${program} is not installed`;
  return `${what} can't be had: ${stderr.trim().split("\n").at(-1)}`;
}

/** A process that says on stdout where it listens, as a line with its port. */
export async function startServer(
  path: string,
  args: readonly string[],
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(path, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const [, found] = /port (\d+)/.exec(said) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
  });
  return {
    port,
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
