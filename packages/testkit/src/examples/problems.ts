import { isNode, type LineCounter } from "yaml";

/** Everything that is wrong with a file of examples, at once. */
export class ExamplesError extends Error {
  override readonly name = "ExamplesError";
}

/** Collects what is wrong with a file, so that one run names all of it. */
export interface Problems {
  /** `where` is as a reader would find it: the method, the example, the field. */
  report(node: unknown, where: string, problem: string): void;
  lineOf(node: unknown): number;
  /** Throws an ExamplesError when anything was reported. */
  settle(): void;
}

export function collectProblems(file: string, lines: LineCounter): Problems {
  const found: string[] = [];
  const lineOf = (node: unknown) => (isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1);
  return {
    report: (node, where, problem) => found.push(`${file}:${lineOf(node)}: ${where}: ${problem}`),
    lineOf,
    settle() {
      if (found.length > 0) throw new ExamplesError(found.join("\n"));
    },
  };
}
