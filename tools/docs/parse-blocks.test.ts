import { describe, expect, it } from "vitest";
import { BlockError } from "./block.ts";
import { parseBlocks } from "./parse-blocks.ts";

const parse = (...lines: string[]) => parseBlocks("docs/page.md", lines.join("\n"));

describe("a page's code blocks", () => {
  it("are found in order, each with its language and the line of its fence", () => {
    const blocks = parse("# Page", "", "```sh", "npm test", "```", "text", "```json", "{}", "```");
    expect(blocks).toEqual([
      { page: "docs/page.md", line: 3, language: "sh", file: undefined, text: "npm test\n" },
      { page: "docs/page.md", line: 7, language: "json", file: undefined, text: "{}\n" },
    ]);
  });

  it("can be whole files of the repository", () => {
    expect(parse("```ts file=services/a/src/b.ts", "export {};", "```")).toMatchObject([
      { language: "ts", file: "services/a/src/b.ts" },
    ]);
  });

  it("may hold shorter fences, which don't close them", () => {
    expect(parse("````text", "```sh", "npm test", "```", "````")).toMatchObject([
      { language: "text", text: "```sh\nnpm test\n```\n" },
    ]);
  });

  it("lose the indentation of the list that they stand in", () => {
    expect(parse("1. First:", "", "   ```yaml", "   a:", "     b: 1", "   ```")).toMatchObject([
      { text: "a:\n  b: 1\n" },
    ]);
  });

  it.each([
    ["is never closed", ["text", "```sh", "npm test"], "docs/page.md:2: the block is never closed"],
    ["names no language", ["```", "npm test", "```"], "docs/page.md:1: the block names no language"],
    ["nobody can run", ["```python", "print()", "```"], 'docs/page.md:1: the block is in "python"'],
    ["has an unknown label", ["```ts title=x", "```"], 'docs/page.md:1: "title=x" means nothing here'],
    ["leaves the repository", ["```ts file=../x.ts", "```"], "docs/page.md:1: ../x.ts is not below the root"],
  ])("that %s is refused by its line", (_, lines, message) => {
    expect(() => parse(...lines)).toThrow(BlockError);
    expect(() => parse(...lines)).toThrow(message);
  });
});
