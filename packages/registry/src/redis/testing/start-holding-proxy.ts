import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { sentinelUrl } from "./start-sentinels.ts";

/** Stands in front of a Sentinel. */
export interface HoldingProxy {
  /** As REDIS_URL names it. */
  readonly url: string;
  /** From now on newcomers have their answers only when a failover has been announced through here. */
  hold(): void;
  close(): void;
}

export async function startHoldingProxy(sentinelPort: number): Promise<HoldingProxy> {
  const announced = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  let holds = false;
  const server = createServer((client) => {
    const upstream = connect(sentinelPort, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    const late = holds;
    client.pipe(upstream);
    upstream.on("data", async (data) => {
      // And a little longer, so that the announcement is read first.
      if (late) await announced.promise.then(() => sleep(100));
      client.write(data);
      if (!late && holds && data.includes("+switch-master")) announced.resolve();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: sentinelUrl((server.address() as AddressInfo).port),
    hold() {
      holds = true;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
