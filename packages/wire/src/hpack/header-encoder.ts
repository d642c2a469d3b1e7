import { DynamicTable, type TableField } from "./dynamic-table.ts";
import { fieldSize } from "./field-size.ts";
import { huffmanLength, writeHuffman } from "./huffman.ts";
import { writeInteger } from "./integer.ts";
import { writeLatin1 } from "./latin1.ts";
import { staticFields } from "./static-table.ts";

/** What the encoder knows of a field name. */
interface KnownName {
  /** In the static table; 0 for none. */
  readonly staticIndex: number;
  /** Indexes in the static table. */
  readonly staticValues: ReadonlyMap<string, number>;
  /** Numbers in the dynamic table. */
  readonly values: Map<string, number>;
  readonly secret: boolean;
  /** Values since the last one that was in the table. */
  misses: number;
}

/** What a name of gRPC or HTTP carries that no table should hold: who reads a table's size could guess it (RFC 7541 section 7.1). */
const secrets: readonly string[] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/** Names that are remembered at most, beside the static ones; others are written out each time. */
const maxNames = 512;
/** No larger table is kept, whatever the peer allows. */
const largestTable = 4_096;
/** What `writeInteger` takes at most. */
const integerOctets = 6;
const noValues: ReadonlyMap<string, number> = new Map();

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
    staticFields.forEach(([name], index) => {
      if (this.#names.has(name)) return;
      const same = staticFields.flatMap(([other, value], i): [string, number][] =>
        other === name ? [[value, i + 1]] : [],
      );
      this.#names.set(name, this.#knownName(name, index + 1, new Map(same)));
    });
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
    const since = this.#table.newest;
    const block = this.#blocks.get(fields);
    if (block?.since === since && this.#shrunkTo === undefined) {
      target.set(block.octets, at);
      return at + block.octets.length;
    }
    const isPlain = this.#shrunkTo === undefined;
    const end = this.encode(fields, target, at);
    if (isPlain && this.#table.newest === since)
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
    const fixed = known.staticValues.get(value);
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
    if (this.#names.size >= maxNames) return this.#secrets.has(name) ? this.#knownName(name, 0, noValues) : undefined;
    const known = this.#knownName(name, 0, noValues);
    this.#names.set(name, known);
    return known;
  }

  #knownName(name: string, staticIndex: number, staticValues: ReadonlyMap<string, number>): KnownName {
    return { staticIndex, staticValues, values: new Map(), secret: this.#secrets.has(name), misses: 0 };
  }

  #nameIndex({ staticIndex, values }: KnownName): number {
    if (staticIndex > 0 || values.size === 0) return staticIndex;
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
