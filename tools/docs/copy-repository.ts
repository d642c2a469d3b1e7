import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The repository as it stands, in a folder that may be changed. */
export interface Copy extends Disposable {
  readonly root: string;
  /** Makes the workspace packages of the copy importable by name. */
  link(): void;
}

/** Copies what git tracks or would; libraries are linked, workspace packages are the copy's own. */
export function copyRepository(root: string): Copy {
  const copy = mkdtempSync(join(tmpdir(), "weft-docs-"));
  // PostgreSQL runs as another user when this one is root, and must be able to enter.
  chmodSync(copy, 0o755);
  const dispose = () => rmSync(copy, { recursive: true, force: true });
  const link = () => linkWorkspaces(copy);
  try {
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const file of listed.toString().split("\0")) {
      // A file that was deleted and is not committed yet is listed, and not there.
      if (file !== "" && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
    }
    linkLibraries(join(root, "node_modules"), join(copy, "node_modules"));
    // Those that npm has put beside the workspace that alone wants them.
    for (const path of globSync(
      workspacesOf(copy).map((each) => `${each}/node_modules`),
      { cwd: root },
    ))
      symlinkSync(join(root, path), join(copy, path));
    link();
    return { root: copy, link, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A link for each library. Scopes that hold workspace packages are left for those. */
function linkLibraries(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name === "@weft" || name === "@shop" || name.startsWith(".vite")) continue;
    symlinkSync(join(from, name), join(to, name));
  }
}

function linkWorkspaces(copy: string): void {
  const workspaces = workspacesOf(copy);
  for (const manifest of globSync(
    workspaces.map((pattern) => `${pattern}/package.json`),
    { cwd: copy },
  )) {
    const { name } = JSON.parse(readFileSync(join(copy, manifest), "utf8")) as { name: string };
    const link = join(copy, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(join(copy, dirname(manifest)), link);
  }
}

function workspacesOf(copy: string): readonly string[] {
  return (JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as { workspaces: string[] }).workspaces;
}
