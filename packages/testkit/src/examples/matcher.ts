import type { JsonValue } from "@bufbuild/protobuf";
import { isMap, isScalar, type YAMLMap } from "yaml";
import { isOfType } from "./match.ts";
import type { Pattern, ValueType } from "./pattern.ts";

/** What kind of value stands where a matcher does. */
export type MatcherTarget = "string" | "int" | "timestamp" | "message" | "other";

/** What a stub answers where an example says only the type. */
const typeExamples: Readonly<
  Record<ValueType, { readonly fits: readonly MatcherTarget[]; readonly example: JsonValue }>
> = {
  uuid: { fits: ["string"], example: "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a59" },
  string: { fits: ["string"], example: "text" },
  timestamp: { fits: ["timestamp"], example: "2026-01-02T03:04:05Z" },
  int: { fits: ["int"], example: 1 },
};

export interface CompiledMatcher {
  readonly pattern?: Pattern;
  readonly problem?: string;
}

/** Whether the node is a matcher: a map whose keys begin with `$`. */
export function isMatcher(node: unknown): node is YAMLMap {
  return isMap(node) && node.items.some(({ key }) => isScalar(key) && String(key.value).startsWith("$"));
}

/** `{$type}`, `{$regex, $example}` or `{$contains}`. */
export function compileMatcher(node: YAMLMap, target: MatcherTarget): CompiledMatcher {
  const given = node.toJSON() as Record<string, JsonValue>;
  const { $type, $regex, $contains, $example, ...unknown } = given;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined)
    return { problem: `"${stranger}" is no matcher: use $type, $regex, $contains, $oneOf or $each` };
  if ($type !== undefined) return ofType($type, $example, target);
  if (target !== "string") return { problem: "$regex and $contains are for strings" };
  if (typeof $contains === "string") return { pattern: { kind: "contains", text: $contains } };
  if (typeof $regex === "string") return ofRegex($regex, $example);
  return { problem: "give $type, $regex or $contains" };
}

function ofType(type: JsonValue, example: JsonValue | undefined, target: MatcherTarget): CompiledMatcher {
  if (typeof type !== "string" || !Object.hasOwn(typeExamples, type)) {
    return { problem: `$type is one of ${Object.keys(typeExamples).join(", ")}` };
  }
  const known = typeExamples[type as ValueType];
  if (!known.fits.includes(target)) return { problem: `the field is no ${type}` };
  const value = example ?? known.example;
  if (!isOfType(type as ValueType, value)) return { problem: `$example is no ${type}` };
  return { pattern: { kind: "type", type: type as ValueType, example: value } };
}

function ofRegex(source: string, example: JsonValue | undefined): CompiledMatcher {
  let regex: RegExp;
  try {
    regex = new RegExp(source, "u");
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (typeof example !== "string") return { problem: "a $regex needs an $example, for the stub to answer" };
  if (!regex.test(example)) return { problem: `$example doesn't match ${regex}` };
  return { pattern: { kind: "regex", regex, example } };
}
