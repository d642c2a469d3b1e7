import { CompressionError } from "./compression-error.ts";
import { DynamicTable, type TableField } from "./dynamic-table.ts";
import { nameProblem, valueProblem } from "./field-rules.ts";
import { fieldSize } from "./field-size.ts";
import { readHuffman } from "./huffman.ts";
import { type Cursor, readInteger } from "./integer.ts";
import { readLatin1 } from "./latin1.ts";
import { staticFields } from "./static-table.ts";

export interface HeaderLimits {
  /** Sum over the fields of name, value and 32, in octets. */
  readonly maxListBytes: number;
  readonly maxFields: number;
}

export interface DecodedHeaders {
  /** Name, value, name, value, …; their characters are octets. Incomplete when the list is too large. */
  readonly fields: readonly string[];
  readonly tooLarge: boolean;
  /** Why the message is malformed, which ends its stream. */
  readonly problem: string | undefined;
}

interface DecodedField extends TableField {
  /** Looked for once, when the field comes as a literal. */
  readonly problem: string | undefined;
  /** The part of it that another value would have too. */
  readonly nameProblem: string | undefined;
}

const known = staticFields.map(([name, value]) => toField(name, value, undefined));

/** A block that was read, of fields that the table has: as long as the table stays as it is, it says the same again. */
interface KnownBlock {
  readonly octets: Uint8Array;
  readonly changes: number;
  readonly headers: DecodedHeaders;
}

/** Blocks that are remembered: those of a connection's responses and trailers are few. */
const knownBlocks = 4;
const longestKnownBlock = 64;

/** One end's memory of the fields that the other sends (RFC 7541). */
export class HeaderDecoder {
  readonly #limits: HeaderLimits;
  readonly #table: DynamicTable<DecodedField>;
  /** What the peer's table may have at most. */
  #allowedSize: number;
  /** The peer's table has to shrink before it sends anything else. */
  #mustShrink = false;
  readonly #blocks: KnownBlock[] = [];
  /** Which of them makes room for the next one. */
  #oldest = 0;
  /** Whether the block that is being read holds anything beside indices. */
  #hasLiterals = false;

  /** `tableSize` is the SETTINGS_HEADER_TABLE_SIZE that a connection begins with. */
  constructor(limits: HeaderLimits, tableSize = 4_096) {
    this.#limits = limits;
    this.#allowedSize = tableSize;
    this.#table = new DynamicTable(tableSize);
  }

  /** To be called when the peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE. */
  allowTableSize(size: number): void {
    this.#allowedSize = size;
    this.#mustShrink = size < this.#table.maxSize;
  }

  /**
   * Reads a whole block. What is beyond the limits is read too, since the table has to follow, but not kept. Throws
   * CompressionError, after which the decoder is of no use.
   */
  decode(block: Uint8Array, start = 0, end = block.length): DecodedHeaders {
    const remembered = this.#remembered(block, start, end);
    if (remembered !== undefined) return remembered;
    const cursor: Cursor = { bytes: block, at: start, end };
    const { maxListBytes, maxFields } = this.#limits;
    const fields: string[] = [];
    let listBytes = 0;
    let count = 0;
    let problem: string | undefined;
    this.#hasLiterals = false;
    this.#readSizeUpdates(cursor);
    const first = cursor.at;
    while (cursor.at < end) {
      const field = this.#readField(cursor);
      listBytes += field.size;
      count += 1;
      if (listBytes > maxListBytes || count > maxFields) continue;
      problem ??= field.problem;
      fields.push(field.name, field.value);
    }
    const headers = { fields, tooLarge: listBytes > maxListBytes || count > maxFields, problem };
    if (!this.#hasLiterals && first === start && end - start <= longestKnownBlock)
      this.#remember(block.slice(start, end), headers);
    return headers;
  }

  #remembered(block: Uint8Array, start: number, end: number): DecodedHeaders | undefined {
    if (this.#mustShrink) return undefined;
    for (const { octets, changes, headers } of this.#blocks) {
      if (octets.length !== end - start || changes !== this.#table.changes) continue;
      let same = 0;
      while (same < octets.length && octets[same] === block[start + same]) same += 1;
      if (same === octets.length) return headers;
    }
    return undefined;
  }

  #remember(octets: Uint8Array, headers: DecodedHeaders): void {
    this.#blocks[this.#oldest] = { octets, changes: this.#table.changes, headers };
    this.#oldest = (this.#oldest + 1) % knownBlocks;
  }

  /** They stand before the first field only: one after it is read as a field, and is none. */
  #readSizeUpdates(cursor: Cursor): void {
    while (cursor.at < cursor.end && ((cursor.bytes[cursor.at] as number) & 0xe0) === 0x20) {
      const size = readInteger(cursor, 5);
      if (size > this.#allowedSize)
        throw new CompressionError(`a table of ${size} octets is larger than the ${this.#allowedSize} allowed`);
      this.#table.resize(size);
      this.#mustShrink = false;
    }
    if (this.#mustShrink) throw new CompressionError("the table was not made smaller when it had to be");
  }

  #readField(cursor: Cursor): DecodedField {
    const first = cursor.bytes[cursor.at] as number;
    if (first >= 0x80) return this.#indexed(readInteger(cursor, 7));
    if (first >= 0x40) {
      const field = this.#readLiteral(cursor, 6);
      this.#table.add(field);
      return field;
    }
    if (first >= 0x20) throw new CompressionError("the table's size changes after the first field");
    return this.#readLiteral(cursor, 4);
  }

  #readLiteral(cursor: Cursor, prefix: number): DecodedField {
    this.#hasLiterals = true;
    const index = readInteger(cursor, prefix);
    if (index === 0) {
      const name = readString(cursor);
      return toField(name, readString(cursor), nameProblem(name));
    }
    const named = this.#indexed(index);
    return toField(named.name, readString(cursor), named.nameProblem);
  }

  #indexed(index: number): DecodedField {
    const field = index <= known.length ? known[index - 1] : this.#table.at(index - known.length - 1);
    if (field === undefined) throw new CompressionError(`there is no field ${index} in the table`);
    return field;
  }
}

function toField(name: string, value: string, problemOfName: string | undefined): DecodedField {
  const problem = problemOfName ?? valueProblem(name, value);
  return { name, value, size: fieldSize(name, value), problem, nameProblem: problemOfName };
}

function readString(cursor: Cursor): string {
  const isHuffman = cursor.at < cursor.end && (cursor.bytes[cursor.at] as number) >= 0x80;
  const length = readInteger(cursor, 7);
  const start = cursor.at;
  if (length > cursor.end - start) throw new CompressionError("the header block ends in the middle of a string");
  cursor.at = start + length;
  if (isHuffman) return readHuffman(cursor.bytes, start, cursor.at);
  return readLatin1.call(cursor.bytes, start, cursor.at);
}
