import type { SecureContext } from "node:tls";
import type { Transport } from "@connectrpc/connect";
import type { Address } from "@weft/wire";

export type ClientTls = NonNullable<Address["tls"]>;

/** One endpoint, as a Connect `Transport`: HTTP/2 opened with the first call, and again after it was lost. */
export interface Connection {
  readonly transport: Transport;
  /** What carries its calls now; undefined where the transport doesn't tell. */
  getPool?(): PoolState;
  /** Ends the connection, and the calls on it. */
  close(): void;
}

export interface PoolState {
  /** Those of HTTP/2 that are open. */
  readonly connections: number;
  /** Calls that wait for a connection, or for one with room for another stream. */
  readonly waiting: number;
}

/** What each transport makes a connection of. */
export interface ResolvedOptions {
  readonly host: string;
  readonly port: number;
  /** The host as it stands in a URL. */
  readonly authority: string;
  readonly baseUrl: string;
  readonly tls: (ClientTls & { readonly secureContext: SecureContext }) | undefined;
  readonly compress: boolean;
  readonly maxMessageBytes: number;
  readonly maxConnections: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
}
