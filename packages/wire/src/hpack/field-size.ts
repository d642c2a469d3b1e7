/** What a field counts in a table and in a header list, in octets (RFC 7541 section 4.1, RFC 9113 section 6.5.2). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + 32;
}
