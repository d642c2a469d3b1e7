/** Node's own, which its types leave out: without a look at the encoding's name. A character of the string is an octet. */
export const readLatin1: (this: Uint8Array, start: number, end: number) => string = Buffer.prototype.latin1Slice;

/** Returns how many octets it wrote. */
export const writeLatin1: (this: Uint8Array, text: string, at: number) => number = Buffer.prototype.latin1Write;
