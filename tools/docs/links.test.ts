import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const pages = ["README.md", ...globSync("docs/*.md", { cwd: root })];

/** Links into the repository; those to the web are left alone. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] as string)
    .filter((link) => !/^[a-z]+:/.test(link));
}

describe.each(pages)("%s", (page) => {
  it("links to files that are there", () => {
    const broken = linksOf(page).filter((link) => {
      const [path = ""] = link.split("#");
      return path !== "" && !existsSync(resolve(root, dirname(page), path));
    });
    expect(broken).toEqual([]);
  });
});

it("README.md leads to every page", () => {
  const linked = linksOf("README.md").map((link) => relative(root, resolve(root, link)));
  expect(pages.filter((page) => page !== "README.md" && !linked.includes(page))).toEqual([]);
});
