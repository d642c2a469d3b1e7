// The numbers of RFC 9113, sections 6, 6.5.2 and 7.

export const frameHeadBytes = 9;

export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  /** Ours, of those that are for experiments: the server takes a PING each time that so many milliseconds have passed, and may be silent. */
  pingInterval: 0xf57e,
} as const;

export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** As RFC 9113 section 7 spells it, or the number of one that it doesn't name. */
export function errorName(code: number): string {
  const name = Object.entries(errorCode).find(([, value]) => value === code)?.[0];
  return name?.replace(/[A-Z]/g, "_$&").toUpperCase().replace("HTTP11", "HTTP_1_1") ?? String(code);
}

/** What is in force until SETTINGS say otherwise; the smallest that a frame's limit may be. */
export const defaultMaxFrameSize = 16_384;
export const largestFrameSize = 2 ** 24 - 1;
/** Of a window, and of a stream's number. */
export const largestWindow = 2 ** 31 - 1;
/** What a window is before SETTINGS say otherwise (section 6.9.2). */
export const protocolWindow = 65_535;
