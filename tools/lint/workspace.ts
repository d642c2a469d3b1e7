import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { type Import, importsOf } from "./imports-of.ts";

/** A package of the repository with all of its sources. */
export interface Package {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  readonly files: readonly SourceFile[];
}

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** Below the package's folder, with forward slashes: "src/rpc/order-service.ts". */
  readonly inPackage: string;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
}

const skipped = new Set(["node_modules", "dist", "testdata", ".turbo", ".weft"]);

/** Reads and parses every workspace under `root`, as the root package.json lists them. Throws on a file that doesn't parse. */
export function readWorkspace(root: string): readonly Package[] {
  const { workspaces = [] } = readManifest(join(root, "package.json"));
  return workspaces
    .flatMap((pattern) => foldersOf(root, pattern))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map(readPackage);
}

/** The file that a relative import means, or undefined when there is none. */
export function resolveRelative(from: string, specifier: string): string | undefined {
  const target = resolve(dirname(from), specifier);
  return [target, target.replace(/\.js$/, ".ts"), `${target}.ts`, join(target, "index.ts")].find(
    (path) => /\.[cm]?[jt]sx?$/.test(path) && existsSync(path),
  );
}

interface Manifest {
  readonly name?: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, "utf8")) as Manifest;
}

function foldersOf(root: string, pattern: string): readonly string[] {
  if (!pattern.endsWith("/*")) return [join(root, pattern)];
  const parent = join(root, pattern.slice(0, -2));
  return existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}

function readPackage(folder: string): Package {
  const manifest = readManifest(join(folder, "package.json"));
  return {
    name: manifest.name ?? relative(process.cwd(), folder),
    folder,
    dependencies: Object.keys(manifest.dependencies ?? {}),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
    files: sourcesBelow(folder).map((path) => readSource(folder, path)),
  };
}

function sourcesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : sourcesBelow(path);
    return /\.([cm]?ts|tsx|mjs|js)$/.test(entry.name) ? [path] : [];
  });
}

function readSource(folder: string, path: string): SourceFile {
  const inPackage = relative(folder, path).replaceAll("\\", "/");
  return {
    path,
    inPackage,
    isTest: /\.test\.tsx?$/.test(inPackage) || /(^|\/)test(s|ing)?\//.test(inPackage),
    imports: importsOf(readFileSync(path, "utf8"), path),
  };
}
