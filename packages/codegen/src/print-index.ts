import type { DescFile } from "@bufbuild/protobuf";
import type { GeneratedFile, Schema } from "@bufbuild/protoplugin";
import { collectEvents } from "./events.ts";
import { namesOf } from "./names.ts";

/** What users import of a package: every name of it, whichever file generated it, and each of them once. */
export function printIndex(f: GeneratedFile, files: readonly DescFile[], schema: Schema): void {
  const extension = { none: "", js: ".js", ts: ".ts" }[schema.options.importExtension];
  for (const file of files) {
    const base = file.name.split("/").at(-1) ?? file.name;
    const { messages, weft } = namesIn(file, f, schema);
    printExports(f, messages, `./${base}_pb${extension}`);
    printExports(f, weft, `./${base}_weft${extension}`);
  }
}

function namesIn(file: DescFile, f: GeneratedFile, schema: Schema): { messages: string[]; weft: string[] } {
  // An event's name means its type and its message at once, so it comes from where both are.
  const events = new Set(collectEvents(file).events.map(({ message }) => message));
  const weft = [...events].map((message) => f.importShape(message).name);
  const messages: string[] = [];
  for (const desc of schema.typesInFile(file)) {
    messages.push(f.importSchema(desc).name);
    if (desc.kind === "enum") messages.push(f.importShape(desc).name);
    if (desc.kind === "message" && !events.has(desc)) messages.push(`type ${f.importShape(desc).name}`);
    if (desc.kind === "service") weft.push(...Object.values(namesOf(desc)));
  }
  return { messages, weft };
}

function printExports(f: GeneratedFile, names: readonly string[], from: string): void {
  if (names.length === 0) return;
  const bare = (name: string) => name.replace(/^type /, "");
  f.print("export {");
  for (const name of names.toSorted((a, b) => (bare(a) < bare(b) ? -1 : 1))) f.print("  ", name, ",");
  f.print("} from ", f.string(from), ";");
}
