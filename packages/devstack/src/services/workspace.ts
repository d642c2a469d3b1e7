import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A service of the workspace: a folder below services/ with a src/main.ts. */
export interface ServiceDescription {
  /** The folder's name. */
  readonly name: string;
  /** Relative to the root. */
  readonly folder: string;
  /** The folders of all workspace packages that it needs to run, itself included. */
  readonly needs: ReadonlySet<string>;
  /** Name of its database and role; undefined when it keeps no rows of its own. */
  readonly database: string | undefined;
  /** Name of its Redis user, and of its database where it has one: "@shop/order" is "shop_order". */
  readonly user: string;
  /**
   * The gRPC services that it may register, for `aclRules`: those of the proto package that is called as it is, so "@shop/order" has
   * `shop.order.*`, which the layout of proto/ asks for anyway; others are said in `weft.registers` of its package.json.
   */
  readonly registers: readonly string[];
  /** What the table suggests: `weft.try` of its package.json, with {address}, {http}, {grpc} and the like. */
  readonly suggestions: readonly string[];
}

interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly weft?: { readonly try?: readonly string[]; readonly registers?: readonly string[] };
}

/** The package through which a service keeps rows; who depends on it is given a database. */
const STORE = "@weft/store";

/** Reads the workspace's package graph. Development dependencies don't count: they don't run. */
export function readServices(root: string): readonly ServiceDescription[] {
  const manifests = new Map<string, Manifest>();
  for (const file of globSync("{packages,services}/*/package.json", { cwd: root })) {
    manifests.set(dirname(file), JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest);
  }
  const folders = new Map([...manifests].flatMap(([folder, { name }]) => (name === undefined ? [] : [[name, folder]])));
  const needsOf = (folder: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(folder)) return seen;
    seen.add(folder);
    for (const dependency of Object.keys(manifests.get(folder)?.dependencies ?? {})) {
      const next = folders.get(dependency);
      if (next !== undefined) needsOf(next, seen);
    }
    return seen;
  };
  return [...manifests.keys()]
    .filter((folder) => folder.startsWith("services/") && existsSync(join(root, folder, "src", "main.ts")))
    .sort()
    .map((folder) => {
      const { name = "", dependencies = {}, weft } = manifests.get(folder) as Manifest;
      const service = basename(folder);
      const user = name.replace(/^@/, "").replaceAll(/[^a-z0-9]+/g, "_") || service;
      const protoPackage = (name || service)
        .replace(/^@/, "")
        .replaceAll("/", ".")
        .replaceAll(/[^a-z0-9.]+/g, "_");
      return {
        name: service,
        folder,
        needs: needsOf(folder),
        database: STORE in dependencies ? user : undefined,
        user,
        registers: weft?.registers ?? [`${protoPackage}.*`],
        suggestions: weft?.try ?? [],
      };
    });
}
