import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { ConnectionLimits } from "@weft/wire";
import { answerHttp1 } from "./http1-call.ts";

/** HTTP/1.1 on sockets that others have accepted. */
export interface Http1 {
  take(socket: Socket): void;
  /** Ends connections as they become idle. */
  drain(): void;
  close(): void;
}

/**
 * Milliseconds that an idle connection is kept: longer than clients and load balancers keep theirs, which is 60 to 90 s. If the server
 * ended it first, a request that is on its way by then would be lost.
 */
const keepAliveTimeout = 100_000;

/** Connect and gRPC-Web over HTTP/1.1, by Node's own server. */
export function serveHttp1(
  universal: ReadonlyMap<string, UniversalHandler>,
  { headers, stalledMs, stalledStreamMs }: ConnectionLimits,
): Http1 {
  let isDraining = false;
  const server: Server = createServer(
    {
      keepAliveTimeout,
      maxHeaderSize: headers.maxListBytes,
      headersTimeout: stalledMs,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      // What began before the drain ends its connection with its answer, and so does what comes behind it.
      response.once("finish", () => {
        if (isDraining) setImmediate(() => server.closeIdleConnections());
      });
      if (request.rawHeaders.length > 2 * headers.maxFields) {
        response.writeHead(431, { connection: "close" }).end();
        return;
      }
      const path = request.url?.split("?", 1)[0] ?? "";
      const handle = universal.get(path);
      const authority = request.headers.host ?? "localhost";
      if (handle === undefined || !URL.canParse(`http://${authority}`)) {
        response.writeHead(handle === undefined ? 404 : 400);
        response.end();
        return;
      }
      answerHttp1(handle, request, response, { stalledMs, stalledStreamMs });
    },
  );
  // All are counted, so that too many are seen.
  server.maxHeadersCount = 0;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Not even a request: whoever sent it speaks something else, and would not understand an answer.
    if (error.code === "HPE_INVALID_METHOD") {
      socket.destroy();
      return;
    }
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else socket.destroy();
  });
  // Node starts the clock of its time limits when a server listens; this one is given its sockets.
  server.emit("listening");
  return {
    take: (socket) => void server.emit("connection", socket),
    drain() {
      isDraining = true;
      server.closeIdleConnections();
    },
    close() {
      server.closeAllConnections();
      server.close(() => {});
    },
  };
}
