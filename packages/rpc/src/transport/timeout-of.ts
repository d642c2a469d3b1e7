/** The timeout that a call has, in milliseconds. As Connect has it: zero, or less, is none. */
export function timeoutOf(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === undefined || timeoutMs <= 0 ? undefined : timeoutMs;
}
