import { DynamicTable, type TableField } from "./dynamic-table.ts";
import { fieldSize } from "./field-size.ts";
import { huffmanLength, writeHuffman } from "./huffman.ts";
import { writeInteger } from "./integer.ts";
import { writeLatin1 } from "./latin1.ts";
import { staticFields } from "./static-table.ts";

/** What the static table has of a field name. */
interface StaticName {
  /** The first index; 0 for none. */
  readonly index: number;
  readonly values: ReadonlyMap<string, number>;
}

/** What the encoder knows of a field name that it has seen. */
interface KnownName {
  readonly fixed: StaticName;
  /** Numbers in the dynamic table. */
  readonly values: Map<string, number>;
  readonly secret: boolean;
  /** Values since the last one that was in the table. */
  misses: number;
}

const staticNames = new Map<string, StaticName & { readonly values: Map<string, number> }>();
staticFields.forEach(([name, value], i) => {
  const known = staticNames.get(name);
  if (known) known.values.set(value, i + 1);
  else staticNames.set(name, { index: i + 1, values: new Map([[value, i + 1]]) });
});
const notStatic: StaticName = { index: 0, values: new Map() };

/** What a name of gRPC or HTTP carries that no table should hold: who reads a table's size could guess it (RFC 7541 section 7.1). */
const secrets: readonly string[] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/** Names that are remembered at most; others are written out each time. */
const maxNames = 512;
/** So many values of a name that were all new make it one that is looked up rarely: it takes longer than the octets that it saves. */
const manyMisses = 32;
/** No larger table is kept, whatever the peer allows. */
const largestTable = 4_096;
/** What `writeInteger` takes at most. */
const integerOctets = 6;

/**
 * One end's memory of the fields that it sends (RFC 7541). Values that come again enter the table, and cost an octet or two from
 * then on; a name whose values are new each time (a traceparent) is learned to be such, and its values are written as they are,
 * since no table has room for them and Huffman code costs more than the octets that it saves.
 */
export class HeaderEncoder {
  readonly #names = new Map<string, KnownName>();
  readonly #secrets: ReadonlySet<string>;
  #blocks = new WeakMap<readonly string[], { readonly octets: Uint8Array; readonly since: number }>();
  readonly #table = new DynamicTable<TableField>(largestTable, (field, number) => {
    const values = this.#names.get(field.name)?.values;
    if (values?.get(field.value) === number) values.delete(field.value);
  });
  /** The smallest size that was set since the last block, if any was. */
  #shrunkTo: number | undefined;

  /** Names whose values are never put into a table, neither here nor by a proxy on the way; beside those that HTTP knows. */
  constructor(secretNames: Iterable<string> = []) {
    this.#secrets = new Set([...secrets, ...secretNames]);
  }

  /** What the peer's SETTINGS_HEADER_TABLE_SIZE allows: the next block says so first, when it changes something. */
  allowTableSize(size: number): void {
    const wanted = Math.min(size, largestTable);
    if (wanted === this.#table.maxSize) return;
    this.#shrunkTo = Math.min(wanted, this.#shrunkTo ?? wanted);
    this.#table.resize(wanted);
    this.#blocks = new WeakMap();
  }

  /** Octets that a block of these fields has at most. */
  bound(fields: readonly string[]): number {
    let octets = 2 * integerOctets;
    for (let i = 0; i < fields.length; i++) octets += (fields[i] as string).length + 2 * integerOctets;
    return octets;
  }

  /**
   * Writes a block of fields (name, value, name, value, …), whose characters are octets, into a target that has room for
   * `bound(fields)`; returns where the next octet goes.
   */
  encode(fields: readonly string[], target: Uint8Array, at: number): number {
    at = this.#writeSizeUpdates(target, at);
    for (let i = 0; i < fields.length; i += 2) {
      at = this.#writeField(fields[i] as string, fields[i + 1] as string, target, at);
    }
    return at;
  }

  /** The same for a list that never changes: its block is remembered for as long as the table stays as it is. */
  encodeSame(fields: readonly string[], target: Uint8Array, at: number): number {
    // With the table's size before it, this block is like no later one.
    if (this.#shrunkTo !== undefined) return this.encode(fields, target, at);
    const since = this.#table.newest;
    const block = this.#blocks.get(fields);
    if (block?.since === since) {
      target.set(block.octets, at);
      return at + block.octets.length;
    }
    const end = this.encode(fields, target, at);
    if (this.#table.newest === since)
      this.#blocks.set(fields, { octets: new Uint8Array(target.subarray(at, end)), since });
    return end;
  }

  #writeSizeUpdates(target: Uint8Array, at: number): number {
    if (this.#shrunkTo === undefined) return at;
    if (this.#shrunkTo < this.#table.maxSize) at = writeInteger(target, at, 0x20, 5, this.#shrunkTo);
    this.#shrunkTo = undefined;
    return writeInteger(target, at, 0x20, 5, this.#table.maxSize);
  }

  #writeField(name: string, value: string, target: Uint8Array, at: number): number {
    const known = this.#names.get(name) ?? this.#learn(name);
    if (known === undefined) return writeLiteral(target, at, 0x00, 4, 0, name, value, false);
    if (known.secret) return writeLiteral(target, at, 0x10, 4, this.#nameIndex(known), name, value, true);
    if (known.misses >= manyMisses && ((known.misses + 1) & 15) !== 0) {
      known.misses += 1;
      return writeLiteral(target, at, 0x00, 4, this.#nameIndex(known), name, value, false);
    }
    const fixed = known.fixed.values.get(value);
    if (fixed !== undefined) return writeInteger(target, at, 0x80, 7, fixed);
    const number = known.values.get(value);
    if (number !== undefined) {
      known.misses = 0;
      return writeInteger(target, at, 0x80, 7, this.#indexOf(number));
    }
    known.misses += 1;
    const size = fieldSize(name, value);
    const enters = isTried(known.misses) && size <= this.#table.maxSize;
    // Before the table changes: the index is of the table as the peer has it by then.
    at = writeLiteral(target, at, enters ? 0x40 : 0x00, enters ? 6 : 4, this.#nameIndex(known), name, value, enters);
    if (enters) {
      this.#table.add({ name, value, size });
      known.values.set(value, this.#table.newest);
    }
    return at;
  }

  #learn(name: string): KnownName | undefined {
    const secret = this.#secrets.has(name);
    if (this.#names.size >= maxNames && !secret) return undefined;
    const known = { fixed: staticNames.get(name) ?? notStatic, values: new Map<string, number>(), secret, misses: 0 };
    this.#names.set(name, known);
    return known;
  }

  #nameIndex({ fixed, values }: KnownName): number {
    if (fixed.index > 0 || values.size === 0) return fixed.index;
    const [number = 0] = values.values();
    return this.#indexOf(number);
  }

  #indexOf(number: number): number {
    return staticFields.length + 1 + this.#table.newest - number;
  }
}

/** The more values of a name were of no use in the table, the fewer enter it: the first four, the eighth, the sixteenth, … */
function isTried(misses: number): boolean {
  return misses <= 4 || (misses & (misses - 1)) === 0;
}

function writeLiteral(
  target: Uint8Array,
  at: number,
  flags: number,
  prefix: number,
  nameIndex: number,
  name: string,
  value: string,
  shorten: boolean,
): number {
  at = writeInteger(target, at, flags, prefix, nameIndex);
  if (nameIndex === 0) at = writeString(target, at, name, true);
  return writeString(target, at, value, shorten);
}

function writeString(target: Uint8Array, at: number, text: string, shorten: boolean): number {
  if (shorten) {
    const length = huffmanLength(text);
    if (length < text.length) return writeHuffman(target, writeInteger(target, at, 0x80, 7, length), text);
  }
  at = writeInteger(target, at, 0x00, 7, text.length);
  return at + writeLatin1.call(target, text, at);
}
