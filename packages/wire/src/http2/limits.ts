import type { HeaderLimits } from "../hpack/header-decoder.ts";

/** What a peer may ask of one connection, and the attack that each limit answers. */
export interface ConnectionLimits {
  /**
   * Streams at once. One that is reset keeps its place until its handler has ended, so that opening and resetting streams never has more
   * handlers running than this (rapid reset, CVE-2023-44487).
   */
  readonly maxConcurrentStreams: number;
  /** Of each header list, against lists that fill the memory, also those that a small block makes of table entries (header bomb). */
  readonly headers: HeaderLimits;
  /** CONTINUATION frames of one header block, against blocks that never end (CVE-2024-27316). */
  readonly maxContinuations: number;
  /**
   * PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and unknown frames at once, beyond one for each frame that carries a call
   * forward and 100 a second, against floods of what is cheap to send (CVE-2019-9512, 9515, 9517, 9518).
   */
  readonly maxControlFrames: number;
  /** RST_STREAM a second, on average and at once; for peers that nobody knows, since hedging and cancels reset streams too. */
  readonly maxResets: number;
  /**
   * Octets that wait for the peer to take them; above it further streams are refused, and the connection ends when the peer takes nothing
   * (a peer that asks and never reads).
   */
  readonly maxQueuedBytes: number;
  /** Octets that have come and that nobody has read, of all streams; above it the peer waits until they are. */
  readonly maxUnreadBytes: number;
  /**
   * Milliseconds that the beginning of a connection, a frame, a request of one message, or a response of one message that waits for
   * the peer's window may take (slow body, zero window, a peer that never reads).
   */
  readonly stalledMs: number;
  /** The same for a stream, whose reader may take its time. */
  readonly stalledStreamMs: number;
  /**
   * Milliseconds of silence, with streams open, after which a PING asks whether the peer lives, … A server that doesn't say that it takes
   * them so often gets no more than one in five minutes, which is what gRPC's servers take (gRFC A8); one that has said nothing at all
   * yet is asked as often as this says.
   */
  readonly pingIntervalMs: number;
  /** … and that its answer may take. */
  readonly pingTimeoutMs: number;
}

/** Among services that know each other. */
export const meshLimits: ConnectionLimits = {
  maxConcurrentStreams: 1_000,
  headers: { maxListBytes: 16_384, maxFields: 100 },
  maxContinuations: 16,
  maxControlFrames: 1_000,
  maxResets: Number.POSITIVE_INFINITY,
  maxQueuedBytes: 256 * 1024 * 1024,
  maxUnreadBytes: 64 * 1024 * 1024,
  stalledMs: 10_000,
  stalledStreamMs: 600_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 5_000,
};

/** Towards everybody. */
export const edgeLimits: ConnectionLimits = {
  ...meshLimits,
  maxConcurrentStreams: 100,
  maxResets: 200,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxUnreadBytes: 16 * 1024 * 1024,
  stalledStreamMs: 60_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 20_000,
};
