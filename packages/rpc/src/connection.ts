import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { translateTransportErrors } from "./errors.ts";
import { defaultMaxMessageBytes } from "./limits.ts";

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Largest message that is read or written, in bytes. Default 4 MiB, as in every gRPC implementation. */
  readonly maxMessageBytes?: number;
  /** A PING goes out when a connection with calls on it was silent for so long. Default 10 s. */
  readonly pingIntervalMs?: number;
}

/** One endpoint, as a Connect `Transport`: HTTP/2 opened with the first call, and again after it was lost. */
export interface Connection {
  readonly transport: Transport;
  /** Ends the connection, and the calls on it. */
  close(): void;
}

/** gRPC over cleartext HTTP/2 with prior knowledge. */
export function connect(options: ConnectionOptions): Connection {
  const { host, port, maxMessageBytes = defaultMaxMessageBytes, pingIntervalMs = 10_000 } = options;
  const authority = host.includes(":") ? `[${host}]` : host;
  const baseUrl = `http://${authority}:${port}`;
  // Node takes an IPv6 address out of its brackets and sends `:authority` without them, unless a server name is given.
  const session = { servername: authority };
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs, pingTimeoutMs: 5_000 }, session);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  });
  return {
    transport: translateTransportErrors(transport),
    close: () => sessionManager.abort(),
  };
}
