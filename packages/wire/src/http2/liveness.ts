import type { Duplex } from "node:stream";
import type { FrameReader } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { ConnectionLimits } from "./limits.ts";

const probe = Buffer.from("weft-is?");

/** What servers of gRPC take by default while they are silent themselves (gRFC A8), in milliseconds. */
const usualPingIntervalMs = 300_000;

type Socket = Duplex & { readonly bytesWritten?: number };

/** Notices that a connection stands still, from a look about once a second; between looks it costs nothing. */
export class Liveness {
  readonly #limits: ConnectionLimits;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  /** Octets have come since the last look. */
  #heard = true;
  #heardAt = 0;
  #askedAt: number | undefined;
  #frame = -1;
  #frameSince = 0;
  #written = -1;
  #writtenSince = 0;
  #begunAt: number | undefined;
  /** Between the peer's last sign of life and the question whether it lives. */
  pingIntervalMs: number;

  constructor(limits: ConnectionLimits, socket: Socket, reader: FrameReader, writer: FrameWriter) {
    this.#limits = limits;
    this.#socket = socket;
    this.#reader = reader;
    this.#writer = writer;
    this.pingIntervalMs = limits.pingIntervalMs;
  }

  /** The server has said how often it takes PINGs, or nothing of it. */
  spare(serverTakesMs = usualPingIntervalMs): void {
    this.pingIntervalMs = Math.max(this.#limits.pingIntervalMs, serverTakesMs);
  }

  hear(): void {
    this.#heard = true;
  }

  /** Why the connection is to end now; undefined when it is well. `begun`: its first SETTINGS have come. */
  look(now: number, begun: boolean, busy: boolean): string | undefined {
    const { stalledMs } = this.#limits;
    this.#begunAt ??= now;
    if (!begun && now - this.#begunAt >= stalledMs) return "the connection did not begin in time";
    if (this.#reader.isWithinFrame && this.#reader.framesBegun === this.#frame) {
      if (now - this.#frameSince >= stalledMs) return "a frame did not come whole in time";
    } else {
      this.#frame = this.#reader.framesBegun;
      this.#frameSince = now;
    }
    const written = this.#socket.bytesWritten ?? 0;
    if (this.#socket.writableLength > 0 && written === this.#written) {
      if (now - this.#writtenSince >= stalledMs) return "the peer does not read";
    } else {
      this.#written = written;
      this.#writtenSince = now;
    }
    return this.#ask(now, busy);
  }

  #ask(now: number, busy: boolean): string | undefined {
    if (this.#heard) {
      this.#heard = false;
      this.#heardAt = now;
      this.#askedAt = undefined;
      return undefined;
    }
    if (this.#askedAt !== undefined)
      return now - this.#askedAt >= this.#limits.pingTimeoutMs ? "the peer does not answer" : undefined;
    if (busy && now - this.#heardAt >= this.pingIntervalMs) {
      this.#askedAt = now;
      this.#writer.ping(probe, false);
    }
    return undefined;
  }
}
