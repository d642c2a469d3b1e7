import { parseAst } from "rolldown/parseAst";

/** One import of a source file, in whatever form it is written. */
export interface Import {
  readonly specifier: string;
  /** Nothing of it is loaded at run time. `import { type A }` is not: verbatimModuleSyntax loads the module still. */
  readonly typeOnly: boolean;
  /** From 1. */
  readonly line: number;
}

type Node = { readonly type: string; readonly start: number; readonly [field: string]: unknown };

/**
 * Every import of a TypeScript module: declarations, re-exports, `import()` as expression and as type, `require` and
 * `import x = require()`. Throws a SyntaxError when the text doesn't parse.
 */
export function importsOf(text: string, fileName: string): readonly Import[] {
  const found: Import[] = [];
  const add = (node: Node, source: unknown, typeOnly: boolean): void => {
    if (isNode(source) && typeof source.value === "string") {
      found.push({ specifier: source.value, typeOnly, line: text.slice(0, node.start).split("\n").length });
    }
  };
  visit(parseAst(text, { lang: fileName.endsWith("x") ? "tsx" : "ts" }, fileName), (node) => {
    switch (node.type) {
      case "ImportDeclaration":
        return add(node, node.source, node.importKind === "type");
      case "ExportAllDeclaration":
        return add(node, node.source, node.exportKind === "type");
      case "ExportNamedDeclaration":
        return add(node, node.source, node.exportKind === "type");
      case "ImportExpression":
        return add(node, node.source, false);
      case "TSImportType":
        return add(node, node.source, true);
      case "TSExternalModuleReference":
        return add(node, node.expression, false);
      case "CallExpression":
        return isRequire(node.callee) ? add(node, firstOf(node.arguments), false) : undefined;
      default:
        return undefined;
    }
  });
  return found;
}

function isRequire(callee: unknown): boolean {
  return isNode(callee) && callee.type === "Identifier" && callee.name === "require";
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function visit(value: unknown, onNode: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, onNode);
  } else if (isNode(value)) {
    onNode(value);
    for (const child of Object.values(value)) if (typeof child === "object") visit(child, onNode);
  }
}
