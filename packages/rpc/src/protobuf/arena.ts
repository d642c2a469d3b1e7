const arenaBytes = 65_536;

/** Node's own, which its types leave out: without a look at the encoding's name. Returns how many octets it wrote. */
const writeUtf8: (this: Uint8Array, text: string, at: number) => number = Buffer.prototype.utf8Write;

/**
 * Where messages are encoded: one behind the other, in memory that is never written again, so that a message is a piece of it and not a
 * copy. What is larger than an arena has one of its own.
 */
export class Arena {
  #bytes = Buffer.allocUnsafeSlow(arenaBytes);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** Where the message begins that is being written. */
  #start = 0;

  /** Begins a message; what was begun and not taken is forgotten. */
  begin(): void {
    this.#at = this.#start;
  }

  /** The message that was written. */
  take(): Buffer {
    const message = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return message;
  }

  /** Where the next octet goes, counted from the message's first. */
  get at(): number {
    return this.#at - this.#start;
  }

  octet(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** An unsigned integer below 2^32. */
  varint32(value: number): void {
    this.#reserve(5);
    this.#varint(value);
  }

  /** An unsigned integer of 64 bits, in halves. */
  varint64(low: number, high: number): void {
    this.#reserve(10);
    while (high !== 0) {
      this.#bytes[this.#at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#varint(low);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  octets(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A length and a text in UTF-8; lone surrogates become U+FFFD. */
  text(value: string): void {
    // A UTF-16 code unit takes at most 3 octets.
    this.#reserve(5 + 3 * value.length);
    const start = this.at;
    this.#varint(value.length);
    const prefix = this.at - start;
    this.#at += writeUtf8.call(this.#bytes, value, this.#at);
    this.#setLength(start, prefix);
  }

  /** Leaves room for a length, which `closeLength` writes when what it counts is there. Returns its place. */
  openLength(): number {
    this.octet(0);
    return this.at - 1;
  }

  closeLength(start: number): void {
    this.#reserve(4);
    this.#setLength(start, 1);
  }

  /** Writes the length of what stands behind a prefix of so many octets, and makes the prefix longer or shorter if it has to be. */
  #setLength(start: number, prefix: number): void {
    const from = this.#start + start + prefix;
    const length = this.#at - from;
    const needed = octetsOf(length);
    const to = this.#start + start + needed;
    if (needed !== prefix) this.#bytes.copyWithin(to, from, this.#at);
    this.#at = this.#start + start;
    this.#varint(length);
    this.#at = to + length;
  }

  #varint(value: number): void {
    for (; value > 0x7f; value >>>= 7) this.#bytes[this.#at++] = (value & 0x7f) | 0x80;
    this.#bytes[this.#at++] = value;
  }

  #reserve(octets: number): void {
    if (this.#at + octets > this.#bytes.length) this.#move(octets);
  }

  /** The message goes on elsewhere, with what was written of it. */
  #move(octets: number): void {
    const begun = this.#bytes.subarray(this.#start, this.#at);
    const needed = begun.length + octets;
    this.#bytes = Buffer.allocUnsafeSlow(needed < arenaBytes / 4 ? arenaBytes : Math.max(arenaBytes, 2 * needed));
    this.#bytes.set(begun, 0);
    this.#view = new DataView(this.#bytes.buffer);
    this.#start = 0;
    this.#at = begun.length;
  }
}

function octetsOf(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x20_0000) return 3;
  return length < 0x1000_0000 ? 4 : 5;
}
