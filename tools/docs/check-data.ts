import { parseAllDocuments } from "yaml";
import { type Block, BlockError } from "./block.ts";

/** Throws a BlockError when a `json` or `yaml` block is none. */
export function checkData(block: Block): void {
  if (block.language === "json") {
    try {
      JSON.parse(block.text);
    } catch (error) {
      throw new BlockError(block, (error as Error).message);
    }
  }
  if (block.language !== "yaml") return;
  for (const document of parseAllDocuments(block.text)) {
    const [problem] = document.errors;
    if (problem) throw new BlockError(block, problem.message);
  }
}
