/** A segment of a template: a literal, one segment (`*`), or all that follow (`**`). */
type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "rest" };

interface Variable {
  /** The field's path in the request, such as "user.id". */
  readonly field: string;
  /** Which segments it captures, from `start` up to `end`. */
  readonly start: number;
  readonly end: number;
}

/** A path template of google.api.http, parsed: https://google.aip.dev/127 and the grammar in google/api/http.proto. */
export interface PathTemplate {
  readonly text: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** What follows the colon; undefined without one. */
  readonly verb: string | undefined;
}

/** Parses `/v1/orders/{order_id}:cancel` and the like. Throws an Error that names the template when it isn't one. */
export function parseTemplate(text: string): PathTemplate {
  const refuse = (why: string): never => {
    throw new Error(`path template "${text}": ${why}`);
  };
  if (!text.startsWith("/")) refuse("it must start with a slash");
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  const add = (part: string): void => {
    if (!/^[^{}/:?#%\s]+$/.test(part)) refuse(`"${part}" is no segment`);
    if (part.includes("*") && part !== "*" && part !== "**") refuse(`"${part}" mixes a star with text`);
    if (segments.some(({ kind }) => kind === "rest")) refuse("** must be last");
    segments.push(part === "*" ? { kind: "one" } : part === "**" ? { kind: "rest" } : { kind: "literal", text: part });
  };
  let rest = text.slice(1);
  while (true) {
    const variable = /^\{([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)*)(?:=([^{}]+))?\}/i.exec(rest);
    if (variable) {
      const start = segments.length;
      for (const part of (variable[2] ?? "*").split("/")) add(part);
      variables.push({ field: variable[1] as string, start, end: segments.length });
      rest = rest.slice(variable[0].length);
    } else {
      const literal = /^[^/:]*/.exec(rest)?.[0] ?? "";
      add(literal);
      rest = rest.slice(literal.length);
    }
    if (!rest.startsWith("/")) break;
    rest = rest.slice(1);
  }
  if (rest !== "" && !/^:[^/:{}*?#%\s]+$/.test(rest)) refuse(`"${rest}" is no verb`);
  return { text, segments, variables, verb: rest === "" ? undefined : rest.slice(1) };
}

/**
 * What the template's variables are in a path that is still percent-encoded, or undefined when it doesn't match. Throws
 * a URIError on a broken escape.
 */
export function matchTemplate(template: PathTemplate, path: string): ReadonlyMap<string, string> | undefined {
  if (!path.startsWith("/")) return undefined;
  const parts = path.slice(1).split("/");
  if (template.verb !== undefined) {
    const last = parts.pop() as string;
    if (!last.endsWith(`:${template.verb}`)) return undefined;
    parts.push(last.slice(0, -template.verb.length - 1));
  }
  const { segments } = template;
  const open = segments.at(-1)?.kind === "rest";
  if (open ? parts.length < segments.length - 1 : parts.length !== segments.length) return undefined;
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment.kind === "literal" && (part === undefined || decodeURIComponent(part) !== segment.text))
      return undefined;
    if (segment.kind === "one" && (part === undefined || part === "")) return undefined;
  }
  const captured = ({ start, end }: Variable): string => {
    const taken = parts.slice(start, open && end === segments.length ? undefined : end);
    // Of several segments an escaped slash stays as it is, else it couldn't be told from one that separates.
    return taken.length === 1 && !open
      ? decodeURIComponent(taken[0] as string)
      : taken.map((part) => part.split(/%2f/i).map(decodeURIComponent).join("%2F")).join("/");
  };
  return new Map(template.variables.map((variable) => [variable.field, captured(variable)]));
}

/** Negative when `a` is the more specific of two templates that match one path: a verb, then literals, then single segments. */
export function compareSpecificity(a: PathTemplate, b: PathTemplate): number {
  const verbs = Number(b.verb !== undefined) - Number(a.verb !== undefined);
  if (verbs !== 0) return verbs;
  const rank = { literal: 0, one: 1, rest: 2 } as const;
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index];
    if (other === undefined) return -1;
    if (rank[segment.kind] !== rank[other.kind]) return rank[segment.kind] - rank[other.kind];
  }
  return a.segments.length - b.segments.length;
}
