import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";

export interface Address {
  readonly host: string;
  readonly port: number;
  /** What TLS is to be told; absent for cleartext with prior knowledge. */
  readonly tls?: Pick<
    ConnectionOptions,
    "ca" | "cert" | "key" | "servername" | "rejectUnauthorized" | "minVersion" | "secureContext"
  >;
}

/** A socket that is connected; over TLS, to a server that has agreed to HTTP/2 (ALPN). */
export async function dial({ host, port, tls }: Address, signal: AbortSignal): Promise<Socket> {
  if (tls === undefined) {
    const socket = connectTcp({ host, port, noDelay: true });
    await connected(socket, "connect", signal);
    return socket;
  }
  const socket: TLSSocket = connectTls({ minVersion: "TLSv1.2", ...tls, host, port, ALPNProtocols: ["h2"] });
  socket.setNoDelay(true);
  await connected(socket, "secureConnect", signal);
  if (socket.alpnProtocol === "h2") return socket;
  socket.destroy();
  throw new Error(`${host}:${port} does not speak HTTP/2 over TLS (ALPN h2)`);
}

async function connected(socket: Socket, event: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  try {
    await once(socket, event, { signal });
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}
