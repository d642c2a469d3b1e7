import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server on which everything can vanish without a word, as when a machine or a network is lost. */
export interface SilentWay {
  /** The server's address, by this way. */
  readonly url: string;
  /** From now on nothing that is sent on what is connected arrives. */
  fallSilent(): void;
  close(): Promise<void>;
}

export async function openSilentWay(to: string): Promise<SilentWay> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => into.write(data));
      from.on("close", () => into.destroy());
      from.on("error", () => undefined);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no free port");
  const url = new URL(to);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    fallSilent() {
      for (const socket of sockets) socket.removeAllListeners("data").pause();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
