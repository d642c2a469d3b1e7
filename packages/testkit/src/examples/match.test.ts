// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders of examples look like that
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differences, unspoken } from "./match.ts";
import type { Pattern } from "./pattern.ts";
import { type Bindings, fill, matchTemplate } from "./placeholders.ts";
import { sample } from "./sample.ts";

const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
const newUuid = () => id;

const names = fc.constantFrom("id", "text", "uuid:a", "uuid:b");
const template = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }).filter((text) => !text.includes("${")),
      names.map((name) => `\${${name}}`),
    ),
  )
  .map((parts) => parts.join(""));
const leaf: fc.Arbitrary<Pattern> = fc.oneof(
  fc.record({ kind: fc.constant("exact" as const), value: fc.oneof(template, fc.integer(), fc.boolean()) }),
  fc.record({ kind: fc.constant("oneOf" as const), values: fc.array(fc.integer(), { minLength: 1 }) }),
  fc.record({ kind: fc.constant("contains" as const), text: fc.string() }),
  fc.constant<Pattern>({ kind: "type", type: "uuid", example: id }),
  fc.constant<Pattern>({ kind: "type", type: "timestamp", example: "2026-01-02T03:04:05Z" }),
  fc.constant<Pattern>({ kind: "regex", regex: /^a+$/u, example: "aa" }),
);
const { pattern } = fc.letrec<{ pattern: Pattern }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.record({
      kind: fc.constant("object" as const),
      fields: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie("pattern")),
    }),
    fc.record({ kind: fc.constant("list" as const), items: fc.array(tie("pattern"), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant("each" as const), item: leaf, min: fc.nat(3) }),
  ),
}));

const known = (): Bindings =>
  new Map([
    ["id", "42 (a+b)*"],
    ["text", "$&"],
  ]);

describe("patterns", () => {
  it("are met by what is made of them, and leave nothing of it out", () => {
    fc.assert(
      fc.property(pattern, (each) => {
        const made = sample(each, known(), newUuid);
        expect([...differences(each, made, known())]).toEqual([]);
        expect(unspoken(each, made)).toBeUndefined();
      }),
    );
  });

  it("take a template for itself alone", () => {
    fc.assert(
      fc.property(template, fc.string({ minLength: 1 }), (text, more) => {
        const filled = fill(text, known(), newUuid);
        expect(matchTemplate(text, filled, known())).toBe(true);
        expect(matchTemplate(text, filled + more, known())).toBe(false);
      }),
    );
  });
});

describe("a fresh id in a template", () => {
  it("is the one that was met, wherever it stands", () => {
    const bindings: Bindings = new Map();
    expect(matchTemplate("${uuid:a}/${uuid:a}", `${id}/${id}`, bindings)).toBe(true);
    expect(bindings).toEqual(new Map([["uuid:a", id]]));
    expect(matchTemplate("${uuid:a}", id.replace("0", "1"), bindings)).toBe(false);
  });

  it("must be the same at both places", () => {
    expect(matchTemplate("${uuid:a}/${uuid:a}", `${id}/${id.replace("0", "1")}`, new Map())).toBe(false);
  });

  it("is not kept when the rest doesn't match", () => {
    const bindings: Bindings = new Map();
    expect(matchTemplate("n-${uuid:a}", id, bindings)).toBe(false);
    expect(bindings.size).toBe(0);
  });
});
