import { createSecureContext } from "node:tls";
import type { Interceptor } from "@connectrpc/connect";
import { Deadlines, dial, Http2Client, meshLimits } from "@weft/wire";
import { defaultMaxMessageBytes } from "./limits.ts";
import { connectNode } from "./transport/connect-node.ts";
import { grpcJs } from "./transport/grpc-js.ts";
import { intercepted } from "./transport/intercepted.ts";
import type { ClientTls, Connection, ResolvedOptions } from "./transport/resolved-options.ts";
import { wireTransport } from "./transport/wire.ts";

/** What carries the calls: `@weft/wire`, or one of the two that it can be compared with. All of them speak gRPC. */
export type TransportKind = "wire" | "connect-node" | "grpc-js";

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Default "wire". "grpc-js" needs the package `@grpc/grpc-js`. */
  readonly transport?: TransportKind;
  /** How the server is known and what it is shown; absent for cleartext with prior knowledge. */
  readonly tls?: ClientTls;
  /** Around each call, the first outermost. */
  readonly interceptors?: Interceptor[];
  /** Compress requests of 1 KiB and more with gzip. Default false: inside one data center it costs more than it saves. */
  readonly compress?: boolean;
  /** Largest message that is read or written, in bytes. Default 4 MiB, as in every gRPC implementation. */
  readonly maxMessageBytes?: number;
  /** Where one connection has all the streams that the server allows, others are opened beside it, up to so many. Default 1; for "wire" alone. */
  readonly maxConnections?: number;
  /**
   * A PING goes out when a connection with calls on it was silent for so long. Default 10 s. "wire" asks a server that doesn't say that it takes
   * them so often no more than once in five minutes.
   */
  readonly pingIntervalMs?: number;
  /** Without an answer to it in so many milliseconds the connection is given up. Default 5 s. */
  readonly pingTimeoutMs?: number;
}

/** One timer for the deadlines of all calls of a process. */
const deadlines = new Deadlines();

/** gRPC over HTTP/2: cleartext with prior knowledge, or TLS. */
export function connect(options: ConnectionOptions): Connection {
  const { host, port, transport = "wire", interceptors = [], tls } = options;
  const authority = host.includes(":") ? `[${host}]` : host;
  const resolved: ResolvedOptions = {
    host,
    port,
    authority,
    baseUrl: `${tls === undefined ? "http" : "https"}://${authority}:${port}`,
    tls: tls && { ...tls, secureContext: createSecureContext(tls) },
    compress: options.compress ?? false,
    maxConnections: options.maxConnections ?? 1,
    maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    pingIntervalMs: options.pingIntervalMs ?? meshLimits.pingIntervalMs,
    pingTimeoutMs: options.pingTimeoutMs ?? meshLimits.pingTimeoutMs,
  };
  // Connect's has its own way for them.
  if (transport === "connect-node") return connectNode(resolved, interceptors);
  const connection = transport === "grpc-js" ? grpcJs(resolved) : wire(resolved);
  return { ...connection, transport: intercepted(connection.transport, interceptors, resolved.baseUrl) };
}

function wire({ host, port, authority, tls, compress, maxMessageBytes, ...options }: ResolvedOptions): Connection {
  const { pingIntervalMs, pingTimeoutMs, maxConnections } = options;
  const client = new Http2Client({
    maxConnections,
    dial: (signal) => dial({ host, port, ...(tls && { tls }) }, signal),
    limits: { ...meshLimits, pingIntervalMs, pingTimeoutMs },
  });
  const scheme = tls === undefined ? "http" : "https";
  const target = { scheme, authority: `${authority}:${port}`, compress } as const;
  return {
    transport: wireTransport({ ...target, client, deadlines, maxMessageBytes }),
    getPool: () => client.getState(),
    close: () => client.close(),
  };
}
