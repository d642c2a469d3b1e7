/** A fenced code block of a page. */
export interface Block {
  /** Relative to the root, such as "docs/events.md". */
  readonly page: string;
  /** The line of the opening fence. */
  readonly line: number;
  readonly language: Language;
  /** The file of the repository that the block is, whole: `file=` after the language. */
  readonly file: string | undefined;
  readonly text: string;
}

/** What a block may be written in. `text` and `mermaid` are pictures; everything else is run, built, read or applied. */
export const languages = ["sh", "ts", "proto", "yaml", "json", "diff", "text", "mermaid"] as const;

export type Language = (typeof languages)[number];

/** Something about a block that doesn't hold; the message begins with page and line. */
export class BlockError extends Error {
  override readonly name = "BlockError";

  constructor(at: Pick<Block, "page" | "line">, message: string) {
    super(`${at.page}:${at.line}: ${message}`);
  }
}

export function isLanguage(word: string): word is Language {
  return (languages as readonly string[]).includes(word);
}
