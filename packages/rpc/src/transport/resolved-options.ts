import type { SecureContext } from "node:tls";
import type { Transport } from "@connectrpc/connect";
import type { Address } from "@weft/wire";

export type ClientTls = NonNullable<Address["tls"]>;

/** One endpoint, as a Connect `Transport`: HTTP/2 opened with the first call, and again after it was lost. */
export interface Connection {
  readonly transport: Transport;
  /** Ends the connection, and the calls on it. */
  close(): void;
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
