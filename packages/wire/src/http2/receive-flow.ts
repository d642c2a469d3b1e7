import { BandwidthDelay } from "./bandwidth-delay.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { protocolWindow, setting } from "./protocol.ts";
import { ReceiveWindow } from "./receive-window.ts";

const measuring = Buffer.from("weft-bdp");

/**
 * What a connection may receive, on each stream and on all of them together. The windows grow with the bandwidth-delay product, up
 * to 16 MiB a stream. The connection's is given back as octets come, so that streams that nobody reads don't stop the others, up to
 * a limit of what is unread; above it, as they are read.
 */
export class ReceiveFlow {
  readonly #writer: FrameWriter;
  readonly #clock: { now(): number };
  readonly #connection = new ReceiveWindow(protocolWindow);
  readonly #estimate: BandwidthDelay;
  readonly #maxUnread: number;
  /** Octets of all streams that have come and were not consumed. */
  #unread = 0;
  /** Those that were not given back as they came. */
  #withheld = 0;
  #streamWindow: number;

  /** `streamWindow` is the SETTINGS_INITIAL_WINDOW_SIZE that the connection begins with. */
  constructor(writer: FrameWriter, streamWindow: number, maxUnread: number, clock: { now(): number }) {
    this.#maxUnread = maxUnread;
    this.#writer = writer;
    this.#clock = clock;
    this.#streamWindow = streamWindow;
    this.#estimate = new BandwidthDelay({ initial: streamWindow });
  }

  streamWindow(): ReceiveWindow {
    return new ReceiveWindow(this.#streamWindow);
  }

  /** Throws ConnectionError when the peer has sent more than it may. */
  receive(octets: number): void {
    this.#connection.receive(octets);
    this.#unread += octets;
    if (this.#unread <= this.#maxUnread) this.#giveBack(octets);
    else this.#withheld += octets;
    if (octets > 0 && this.#estimate.received(octets, this.#clock.now())) this.#writer.ping(measuring, false);
  }

  /** Octets of any stream that need no memory any more. */
  consume(octets: number): void {
    this.#unread -= octets;
    if (this.#withheld === 0 || this.#unread > this.#maxUnread) return;
    this.#giveBack(this.#withheld);
    this.#withheld = 0;
  }

  #giveBack(octets: number): void {
    const increment = this.#connection.consume(octets);
    if (increment > 0) this.#writer.windowUpdate(0, increment);
  }

  /** Tells the peer of the connection's window when it is not what the protocol begins with. */
  announce(): void {
    const more = this.#connection.grow(2 * this.#streamWindow);
    if (more > 0) this.#writer.windowUpdate(0, more);
  }

  /** A PING was answered, with 8 octets from `start`: if it was one of ours, the windows of all streams may grow. */
  pingAnswered(bytes: Buffer, start: number, windows: () => Iterable<ReceiveWindow>): void {
    if (measuring.compare(bytes, start, start + 8) !== 0) return;
    const size = this.#estimate.answered(this.#clock.now());
    if (size === undefined) return;
    this.#streamWindow = size;
    for (const window of windows()) window.grow(size);
    this.#writer.settings([[setting.initialWindowSize, size]]);
    this.announce();
  }
}
