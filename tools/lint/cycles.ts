import { type Package, resolveRelative } from "./workspace.ts";

/**
 * The cycles among the files of each package, imports of types included: one shortest ring for each strongly connected
 * group, as paths in order of import. Between packages the import table, which has no cycle, rules them out.
 */
export function findCycles(packages: readonly Package[]): readonly (readonly string[])[] {
  return packages.flatMap((owner) => ringsOf(graphOf(owner)));
}

type Graph = ReadonlyMap<string, readonly string[]>;

function graphOf(owner: Package): Graph {
  const paths = new Set(owner.files.map((file) => file.path));
  return new Map(
    owner.files.map((file) => [
      file.path,
      file.imports
        .filter((one) => one.specifier.startsWith("."))
        .map((one) => resolveRelative(file.path, one.specifier))
        .filter((target): target is string => target !== undefined && paths.has(target)),
    ]),
  );
}

function ringsOf(graph: Graph): readonly (readonly string[])[] {
  const told = new Set<string>();
  const rings: string[][] = [];
  for (const start of graph.keys()) {
    if (told.has(start)) continue;
    const ring = shortestWayBack(graph, start);
    if (ring === undefined) continue;
    for (const path of ring) told.add(path);
    rings.push(ring);
  }
  return rings;
}

/** Breadth first from `start` to the first file that imports it again. */
function shortestWayBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const next of graph.get(at) ?? []) {
      if (next === start) return wayTo(cameFrom, start, at);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const way: string[] = [];
  for (let at: string | undefined = end; at !== undefined && at !== start; at = cameFrom.get(at)) way.unshift(at);
  return [start, ...way];
}
