import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { defaultMaxMessageBytes } from "./connection.ts";

export interface ListenerOptions {
  readonly routes: (router: ConnectRouter) => void;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly interceptors?: Interceptor[];
  readonly maxMessageBytes?: number;
  /** Longest deadline that a caller may ask for, in milliseconds. Default one day. */
  readonly maxTimeoutMs?: number;
}

/** A server for gRPC, gRPC-Web and Connect over cleartext HTTP/2. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Tells every client with GOAWAY to go elsewhere, takes no new connection, and resolves when the running calls have ended. */
  drain(): Promise<void>;
  /** Ends what is still open. */
  close(): Promise<void>;
}

/** Resolves when the port is open; rejects with the reason when it can't be. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const handler = connectNodeAdapter({
    routes: options.routes,
    interceptors: options.interceptors ?? [],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
    maxTimeoutMs: options.maxTimeoutMs ?? 24 * 60 * 60 * 1000,
  });
  const settings = { maxConcurrentStreams: 1_000, maxHeaderListSize: 16 * 1024 };
  const server = createServer({ settings }, refuseBadAuthority(handler));
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
  });
  server.on("sessionError", () => {});
  const address = await opened(server, options);

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
      for (const session of sessions) session.close();
      return done;
    },
    close() {
      const done = stopListening();
      for (const session of sessions) session.destroy();
      return done;
    },
  };
}

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** The adapter makes a URL of `:authority`, and throws out of the server's event what is none: one request would end the process. */
function refuseBadAuthority(handler: Handler): Handler {
  return (request, response) => {
    // Undefined when the request names no host at all, whatever the declared type says.
    const authority: string | undefined = request.authority;
    if (authority && URL.canParse(`http://${authority}`)) return handler(request, response);
    response.writeHead(400);
    response.end();
  };
}

function opened(server: Http2Server, options: ListenerOptions): Promise<AddressInfo> {
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
