import { type Block, BlockError, isLanguage, languages } from "./block.ts";

/** The fenced code blocks of a Markdown page, in order. Throws a BlockError for one that is never closed, or that nobody knows how to run. */
export function parseBlocks(page: string, markdown: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const opening = /^( *)(`{3,}|~{3,})(.*)$/.exec(lines[index] as string);
    if (opening === null) continue;
    const [, indent = "", fence = "", info = ""] = opening;
    const at = { page, line: index + 1 };
    const end = lines.findIndex((line, i) => i > index && closes(line, fence));
    if (end < 0) throw new BlockError(at, "the block is never closed");
    const text = lines
      .slice(index + 1, end)
      .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()))
      .join("\n");
    blocks.push({ ...at, ...readInfo(at, info), text: `${text}\n` });
    index = end;
  }
  return blocks;
}

/** As many of the same character or more, and nothing else. */
function closes(line: string, fence: string): boolean {
  const found = line.trim();
  return found.length >= fence.length && found === (fence[0] as string).repeat(found.length);
}

function readInfo(at: Pick<Block, "page" | "line">, info: string): Pick<Block, "language" | "file"> {
  const [language = "", ...labels] = info.trim().split(/\s+/);
  if (!isLanguage(language)) {
    const named = language === "" ? "names no language" : `is in "${language}", which nothing here can run`;
    throw new BlockError(at, `the block ${named}: use one of ${languages.join(", ")}`);
  }
  let file: string | undefined;
  for (const label of labels) {
    file = /^file=(\S+)$/.exec(label)?.[1];
    if (file === undefined) throw new BlockError(at, `"${label}" means nothing here: file=PATH does`);
    if (file.startsWith("/") || file.split("/").includes("..")) {
      throw new BlockError(at, `${file} is not below the root`);
    }
  }
  return { language, file };
}
