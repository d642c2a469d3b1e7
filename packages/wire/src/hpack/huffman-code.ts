/** The symbol after the octets: it pads, and must not be found inside a string. */
export const endOfString = 256;

/**
 * The octets by the length of their code in bits, in order. The code of RFC 7541 appendix B is canonical, so that this is all of
 * it: each code is the one before, plus one, with as many zeros behind it as it is longer.
 */
const symbolsOfLength: readonly (readonly [bits: number, symbols: readonly number[]])[] = [
  [5, [...octets("012aceiost")]],
  [6, [...octets(" %-./3456789=A_bdfghlmnpru")]],
  [7, [...octets(":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz")]],
  [8, [...octets("&*,;XZ")]],
  [10, [...octets('!"()?')]],
  [11, [...octets("'+|")]],
  [12, [...octets("#>")]],
  [13, [0, ...octets("$@[]~")]],
  [14, [...octets("^}")]],
  [15, [...octets("<`{")]],
  [19, [92, 195, 208]],
  [20, [128, 130, 131, 162, 184, 194, 224, 226]],
  [21, [153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230]],
  [
    22,
    [
      129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190, 196, 198,
      228, 232, 233,
    ],
  ],
  [
    23,
    [
      1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
      183, 188, 191, 197, 231, 239,
    ],
  ],
  [24, [9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237]],
  [25, [199, 207, 234, 235]],
  [26, [192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255]],
  [27, [203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254]],
  [
    28,
    [2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249],
  ],
  [30, [10, 13, 22, endOfString]],
];

/** By symbol. */
export const codes = new Uint32Array(endOfString + 1);
export const codeLengths = new Uint8Array(endOfString + 1);

let code = 0;
let length = 0;
for (const [bits, symbols] of symbolsOfLength) {
  for (const symbol of symbols) {
    code <<= bits - length;
    length = bits;
    codes[symbol] = code;
    codeLengths[symbol] = bits;
    code += 1;
  }
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
