import type { Interceptor } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { translateTransportErrors } from "../errors.ts";
import type { Connection, ResolvedOptions } from "./resolved-options.ts";

/** By Connect's own transport, on Node's HTTP/2. */
export function connectNode(options: ResolvedOptions, interceptors: Interceptor[]): Connection {
  const { baseUrl, authority, maxMessageBytes, pingIntervalMs, pingTimeoutMs, tls } = options;
  // Node takes an IPv6 address out of its brackets and sends `:authority` without them, unless a server name is given.
  const session = tls ?? { servername: authority };
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs, pingTimeoutMs }, session);
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    interceptors,
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    ...(options.compress && { sendCompression: compressionGzip }),
  });
  return { transport: translateTransportErrors(transport), close: () => sessionManager.abort() };
}
