import { builtinModules } from "node:module";
import { relative, sep } from "node:path";
import type { ImportRule, LayerRule } from "./import-table.ts";
import type { Import } from "./imports-of.ts";
import { type Package, resolveRelative, type SourceFile } from "./workspace.ts";

/** The rules as data; the repository's own are in import-table.ts. */
export interface Rules {
  readonly importTable: Readonly<Record<string, ImportRule>>;
  readonly adapters: Readonly<Record<string, readonly string[]>>;
  readonly layerTable: Readonly<Record<string, Readonly<Record<string, LayerRule>>>>;
}

/** What is wrong and how to mend it, at a place: "packages/a/src/b.ts:3". */
export interface Finding {
  readonly where: string;
  readonly message: string;
}

/** Every import and declared dependency of the packages that the rules forbid. */
export function checkImports(root: string, packages: readonly Package[], rules: Rules): readonly Finding[] {
  const known = new Set([...Object.keys(rules.importTable), ...packages.map((one) => one.name)]);
  return packages.flatMap((owner) => [
    ...checkManifest(root, owner, known, rules),
    ...owner.files.flatMap((file) =>
      file.imports.flatMap((one) => {
        const message =
          checkPackageImport(owner, file, one, known, rules) ?? checkLayerImport(owner, file, one, rules.layerTable);
        return message === undefined ? [] : [{ where: `${relative(root, file.path)}:${one.line}`, message }];
      }),
    ),
  ]);
}

function checkManifest(root: string, owner: Package, known: ReadonlySet<string>, rules: Rules): readonly Finding[] {
  const where = relative(root, `${owner.folder}${sep}package.json`);
  const rule = rules.importTable[owner.name];
  if (rule === undefined) return [{ where, message: `${owner.name} has no row in the import table: add one` }];
  const inSources = [...rule.imports, ...(rule.types ?? [])];
  const inTests = [...inSources, ...(rule.tests ?? [])];
  const refuse = (names: readonly string[], allowed: readonly string[], as: string): readonly Finding[] =>
    names
      .filter((name) => known.has(name) && !allowed.includes(name))
      .map((name) => ({ where, message: `${owner.name} may not have ${name} among its ${as}` }));
  return [
    ...refuse(owner.dependencies, inSources, "dependencies"),
    ...refuse(owner.devDependencies, inTests, "devDependencies"),
  ];
}

function checkPackageImport(
  owner: Package,
  file: SourceFile,
  one: Import,
  known: ReadonlySet<string>,
  { importTable, adapters }: Rules,
): string | undefined {
  if (one.specifier.startsWith(".")) {
    const target = resolveRelative(file.path, one.specifier);
    return target === undefined || target.startsWith(owner.folder + sep)
      ? undefined
      : `${one.specifier} leaves the package: import the other package by its name`;
  }
  const target = packageOf(one.specifier);
  if (!known.has(target)) return undefined;
  if (target === owner.name) return `${owner.name} imports itself by name: import the file relatively`;
  const choosers = adapters[one.specifier];
  if (choosers && !choosers.includes(owner.name)) return `${one.specifier} is chosen in ${choosers[0]} alone`;
  const rule = importTable[owner.name] ?? { imports: [] };
  if (rule.imports.includes(target)) return undefined;
  if (rule.types?.includes(target)) {
    return one.typeOnly ? undefined : `${owner.name} may import types alone from ${target}: use import type`;
  }
  if (rule.tests?.includes(target)) {
    return file.isTest ? undefined : `${owner.name} may import ${target} in tests alone`;
  }
  return `${owner.name} may not import ${target}`;
}

function checkLayerImport(
  owner: Package,
  file: SourceFile,
  one: Import,
  layerTable: Rules["layerTable"],
): string | undefined {
  const layers = layerTable[owner.name];
  if (layers === undefined || file.isTest || file.inPackage === "src/main.ts") return undefined;
  const from = layerOf(file.inPackage);
  if (from === undefined) return undefined;
  const rule: LayerRule | undefined = from === "" ? { imports: [] } : layers[from];
  if (rule === undefined) return `src/${from} is no layer of a service: ${Object.keys(layers).join(", ")} are`;
  if (!one.specifier.startsWith(".")) {
    const target = packageOf(one.specifier);
    if (rule.packages === undefined || rule.packages.includes(target)) return undefined;
    return `${from} is pure: it may not import ${one.specifier}`;
  }
  const path = resolveRelative(file.path, one.specifier);
  const to = path === undefined ? undefined : layerOf(relative(owner.folder, path).replaceAll(sep, "/"));
  if (to === undefined || to === from) return undefined;
  if (to === "") return /\/main\.ts$/.test(path ?? "") ? "nobody imports main.ts" : undefined;
  if (rule.imports.includes(to)) return undefined;
  const layer = from === "" ? "a file beside main.ts" : from;
  if (rule.types?.includes(to)) {
    return one.typeOnly ? undefined : `${layer} may import the ports of ${to} alone: use import type`;
  }
  return `${layer} may not import ${to}`;
}

/** "src/rpc/order.ts" → "rpc"; "src/settings.ts" → ""; a file outside src → undefined. */
function layerOf(inPackage: string): string | undefined {
  const [top, folder, ...rest] = inPackage.split("/");
  if (top !== "src" || folder === undefined) return undefined;
  return rest.length === 0 ? "" : folder;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) {
    return specifier.startsWith("node:") ? specifier : `node:${specifier}`;
  }
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
