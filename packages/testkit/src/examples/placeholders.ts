/** What `${name}` stands for, by name. Matching adds the fresh ids that it meets. */
export type Bindings = Map<string, string>;

const placeholder = /\$\{([^}]+)\}/g;
const uuid = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const wholeUuid = new RegExp(`^${uuid}$`);

export function isUuid(text: string): boolean {
  return wholeUuid.test(text);
}

/** The names between `${` and `}` in a text. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(placeholder)].map(([, name]) => name ?? "");
}

/** Whether the name asks for a UUID that no state gives: `${uuid:order}` is new in each run, and the same throughout an example. */
export function isFresh(name: string): boolean {
  return name.startsWith("uuid:");
}

/** The text with its placeholders filled in; a fresh one that has no value yet gets one from `newUuid`. */
export function fill(template: string, bindings: Bindings, newUuid: () => string): string {
  return template.replaceAll(placeholder, (_, name: string) => {
    const bound = bindings.get(name);
    if (bound !== undefined) return bound;
    if (!isFresh(name)) throw new Error(`nothing gives a value for \${${name}}`);
    const made = newUuid();
    bindings.set(name, made);
    return made;
  });
}

/** The text with those placeholders filled in that have a value. */
export function fillKnown(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(placeholder, (whole, name: string) => values[name] ?? whole);
}

/** Whether `text` is what the template can become. Fresh ids without a value take the one they meet, if all of it matches. */
export function matchTemplate(template: string, text: string, bindings: Bindings): boolean {
  const caught: string[] = [];
  let pattern = "";
  let end = 0;
  for (const match of template.matchAll(placeholder)) {
    const name = match[1] ?? "";
    const bound = bindings.get(name);
    pattern += quoted(template.slice(end, match.index));
    end = match.index + match[0].length;
    if (bound !== undefined) pattern += quoted(bound);
    else if (!isFresh(name)) return false;
    else if (caught.includes(name)) pattern += `(?:\\${caught.indexOf(name) + 1})`;
    else pattern += `(${uuid})`;
    if (bound === undefined && !caught.includes(name)) caught.push(name);
  }
  const found = new RegExp(`^${pattern}${quoted(template.slice(end))}$`, "s").exec(text);
  if (found === null) return false;
  for (const [i, name] of caught.entries()) bindings.set(name, found[i + 1] ?? "");
  return true;
}

function quoted(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
