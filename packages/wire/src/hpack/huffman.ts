import { CompressionError } from "./compression-error.ts";
import { codeLengths, codes, endOfString } from "./huffman-code.ts";
import { readLatin1 } from "./latin1.ts";

/** Octets that a string takes in Huffman code. Its characters are octets: U+0000 to U+00FF. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += codeLengths[text.charCodeAt(i)] as number;
  return (bits + 7) >>> 3;
}

/** Writes a string in Huffman code, padded with ones; returns where the next octet goes. */
export function writeHuffman(target: Uint8Array, at: number, text: string): number {
  let waiting = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = codes[symbol] as number;
    let left = codeLengths[symbol] as number;
    // Up to 7 bits wait and a code has up to 30: in two halves they fit into the 32 of an integer.
    while (left > 0) {
      const taken = Math.min(left, 16);
      left -= taken;
      waiting = (waiting << taken) | ((code >>> left) & ((1 << taken) - 1));
      bits += taken;
      while (bits >= 8) {
        bits -= 8;
        target[at++] = waiting >>> bits;
      }
      waiting &= (1 << bits) - 1;
    }
  }
  if (bits > 0) target[at++] = (waiting << (8 - bits)) | (0xff >>> bits);
  return at;
}

// A tree of nodes with 256 branches each, one for every octet that may come next, one after the other in one array. A branch is
// a leaf (its symbol, and how many of the 8 bits belong to its code) or the number of the node below; the root is no branch.
const leaf = 1 << 31;
const tree = buildTree();

function buildTree(): Int32Array {
  const branches: number[] = new Array(256).fill(0);
  for (let symbol = 0; symbol <= endOfString; symbol++) {
    let left = codeLengths[symbol] as number;
    const code = codes[symbol] as number;
    let node = 0;
    for (; left > 8; left -= 8) {
      const branch = 256 * node + ((code >>> (left - 8)) & 0xff);
      if (branches[branch] === 0) {
        branches[branch] = branches.length >> 8;
        branches.length += 256;
        branches.fill(0, branches.length - 256);
      }
      node = branches[branch] as number;
    }
    const first = 256 * node + ((code << (8 - left)) & 0xff);
    branches.fill(leaf | (left << 16) | symbol, first, first + (1 << (8 - left)));
  }
  return Int32Array.from(branches);
}

let scratch = Buffer.allocUnsafe(4_096);

/** Reads a string in Huffman code. Throws CompressionError where RFC 7541 section 5.2 wants it. */
export function readHuffman(source: Uint8Array, start: number, end: number): string {
  // No code is shorter than 5 bits.
  const most = ((end - start) * 8) / 5;
  if (scratch.length < most) scratch = Buffer.allocUnsafe(2 * Math.ceil(most));
  const text = scratch;
  let length = 0;
  let node = 0;
  let waiting = 0;
  let bits = 0;
  // Bits since the last symbol: what is left at the end is padding.
  let since = 0;
  for (let at = start; at < end; at++) {
    waiting = ((waiting << 8) | (source[at] as number)) & 0xffff;
    bits += 8;
    since += 8;
    while (bits >= 8) {
      const branch = tree[256 * node + ((waiting >>> (bits - 8)) & 0xff)] as number;
      if (branch < 0) {
        const symbol = branch & 0xffff;
        if (symbol === endOfString)
          throw new CompressionError("a string of the header block holds the end-of-string symbol");
        text[length++] = symbol;
        bits -= (branch >>> 16) & 0xff;
        since = bits;
        node = 0;
      } else {
        bits -= 8;
        node = branch;
      }
    }
  }
  while (bits > 0) {
    // As if zeros followed: a symbol counts only if its code ends before them.
    const branch = tree[256 * node + ((waiting << (8 - bits)) & 0xff)] as number;
    const used = (branch >>> 16) & 0xff;
    if (branch >= 0 || used > bits || (branch & 0xffff) === endOfString) break;
    text[length++] = branch & 0xffff;
    bits -= used;
    since = bits;
    node = 0;
  }
  const ones = (1 << bits) - 1;
  if (since > 7 || (waiting & ones) !== ones)
    throw new CompressionError("a string of the header block is not padded with ones");
  return readLatin1.call(text, 0, length);
}
