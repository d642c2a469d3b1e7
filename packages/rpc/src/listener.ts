import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import type { Registry } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { compressionBrotli, compressionGzip } from "@connectrpc/connect-node";
import {
  type ConnectionLimits,
  Deadlines,
  Http2Connection,
  type Http2Stream,
  meshLimits,
  type RequestHead,
  type StreamHandler,
} from "@weft/wire";
import { type GrpcRoutes, grpcRoutes } from "./grpc/routes.ts";
import { type Http1, serveHttp1 } from "./http/http1.ts";
import { sniffHttp2 } from "./http/sniff.ts";
import { answerPlainly, UniversalCall } from "./http/universal-call.ts";
import { defaultMaxMessageBytes } from "./limits.ts";
import { collectRoutes, type Routes } from "./routes.ts";

export interface ListenerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly interceptors?: Interceptor[];
  /** Largest message that is taken, in bytes. Default 4 MiB, as in every gRPC implementation. */
  readonly maxMessageBytes?: number;
  /** Longest deadline that a caller may ask for, in milliseconds. Default one day. */
  readonly maxTimeoutMs?: number;
  /** The types that a `google.protobuf.Any` may hold, for those who speak JSON. */
  readonly registry?: Registry;
  /** A certificate and its key, to be reached over TLS only. */
  readonly tls?: Pick<TlsOptions, "cert" | "key" | "ca" | "requestCert" | "rejectUnauthorized">;
  /** What one connection may ask for. Default: what services of one mesh may, `meshLimits`. */
  readonly limits?: ConnectionLimits;
  /** Connections at once, idle ones included; further ones are closed as they come. Default 16,384. */
  readonly maxConnections?: number;
}

/** A server for gRPC, gRPC-Web and Connect, over HTTP/2 and HTTP/1.1, on one port. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Tells every client with GOAWAY to go elsewhere, takes no new connection, and resolves when the running calls have ended. */
  drain(): Promise<void>;
  /** Ends what is still open. */
  close(): Promise<void>;
}

const defaultMaxTimeoutMs = 24 * 60 * 60 * 1_000;
const lookMs = 1_000;

/** Resolves when the port is open; rejects with the reason when it can't be. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { limits = meshLimits, maxMessageBytes = defaultMaxMessageBytes, interceptors = [], registry } = options;
  const maxTimeoutMs = options.maxTimeoutMs ?? defaultMaxTimeoutMs;
  const routes = collectRoutes(options.routes, {
    interceptors,
    readMaxBytes: maxMessageBytes,
    maxTimeoutMs,
    acceptCompression: [compressionGzip, compressionBrotli],
    ...(registry && { jsonOptions: { registry } }),
  });
  const calls = { maxMessageBytes, maxTimeoutMs, deadlines: new Deadlines() };
  const grpc = grpcRoutes(routes.specs, interceptors, calls, registry);
  const http1 = serveHttp1(routes.universal, limits);
  const connections = new Set<Http2Connection>();
  const sockets = new Set<Socket>();

  const startHttp2 = (socket: Socket): void => {
    const connection: Http2Connection = new Http2Connection({
      role: "server",
      socket,
      limits,
      handler: {
        onStream: (stream, head, fields) => begin(routes, grpc, stream, head, fields),
        onClose: () => void connections.delete(connection),
      },
    });
    connections.add(connection);
    if (isDraining) connection.drain();
  };
  let isDraining = false;
  const server = accept(options, limits, startHttp2, http1);
  server.maxConnections = options.maxConnections ?? 16_384;
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const address = await opened(server, options);
  const looking = setInterval(() => {
    for (const connection of connections) connection.look();
  }, lookMs).unref();

  let closed: Promise<void> | undefined;
  const stopListening = (): Promise<void> => {
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    return closed;
  };
  return {
    host: options.host,
    port: address.port,
    drain() {
      const done = stopListening();
      // Connections that have said nothing yet are told when they do.
      isDraining = true;
      for (const connection of connections) connection.drain();
      http1.drain();
      return done;
    },
    close() {
      const done = stopListening();
      clearInterval(looking);
      for (const connection of connections) connection.destroy();
      http1.close();
      for (const socket of sockets) socket.destroy();
      return done;
    },
  };
}

/** gRPC goes straight to its handler; Connect and gRPC-Web through Connect's. */
function begin(
  { universal }: Routes,
  grpc: GrpcRoutes,
  stream: Http2Stream,
  head: RequestHead,
  fields: readonly string[],
): StreamHandler {
  const call = grpc.start(stream, head, fields);
  if (call !== undefined) return call;
  const query = head.path.indexOf("?");
  const handle = universal.get(query < 0 ? head.path : head.path.slice(0, query));
  if (handle === undefined) return answerPlainly(stream, 404);
  // Connect's handlers make a URL of it.
  if (!URL.canParse(`http://${head.authority || "localhost"}`)) return answerPlainly(stream, 400);
  return new UniversalCall(handle, stream, head, fields);
}

function accept(
  { tls }: ListenerOptions,
  { stalledMs }: ConnectionLimits,
  http2: (socket: Socket) => void,
  http1: Http1,
): Server {
  if (tls === undefined) {
    return createServer({ noDelay: true }, (socket) => {
      sniffHttp2(socket, stalledMs, (isHttp2) => (isHttp2 ? http2(socket) : http1.take(socket)));
    });
  }
  const options: TlsOptions = { minVersion: "TLSv1.2", ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: stalledMs };
  const server = createTlsServer({ ...options, ...tls }, (socket: TLSSocket) => {
    socket.setNoDelay(true);
    if (socket.alpnProtocol === "h2") http2(socket);
    else http1.take(socket);
  });
  server.on("tlsClientError", () => {});
  return server;
}

function opened(server: Server, options: ListenerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const where = `${options.host}:${options.port}`;
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`${where} is in use: stop what listens there, or set another port.`)
          : error,
      );
    });
    server.listen(options.port, options.host, () => {
      server.removeAllListeners("error");
      server.on("error", () => {});
      resolve(server.address() as AddressInfo);
    });
  });
}
