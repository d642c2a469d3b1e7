import { connect, type NatsConnection } from "@nats-io/transport-node";
import { silentLogger } from "@weft/telemetry";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BrokerUnavailable } from "../broker.ts";
import { startNatsServer, type TestNatsServer } from "../testing/nats-server.ts";
import { openConnection } from "./connection.ts";

let server: TestNatsServer;
beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(() => server.close());

describe("a connection to NATS", () => {
  it("is opened anew when the client closed it for good, and leaves none behind", async () => {
    const opened: NatsConnection[] = [];
    const connection = openConnection({
      url: server.url,
      name: "test",
      logger: silentLogger,
      random: Math.random,
      async dial(options) {
        const dialled = await connect(options);
        opened.push(dialled);
        return dialled;
      },
    });
    await connection.ready(new AbortController().signal);
    await opened[0]?.close();
    await expect.poll(() => opened.length).toBe(2);
    await connection.ready(new AbortController().signal);
    await connection.session().manager.getAccountInfo();
    await connection.close();
    expect(opened.map((each) => each.isClosed())).toEqual([true, true]);
    expect(() => connection.session()).toThrow(BrokerUnavailable);
  });

  it("closes what it opened when it can't begin with it", async () => {
    const opened: NatsConnection[] = [];
    const connection = openConnection({
      url: server.url,
      name: "test",
      logger: silentLogger,
      random: Math.random,
      async dial(options) {
        const dialled = await connect(options);
        // The first is lost before anything was asked of it.
        if (opened.push(dialled) === 1) {
          dialled.status = () => {
            throw new Error("lost");
          };
        }
        return dialled;
      },
    });
    await expect.poll(() => opened.length).toBe(2);
    await connection.ready(new AbortController().signal);
    expect(opened.map((each) => each.isClosed())).toEqual([true, false]);
    await connection.close();
  });
});
