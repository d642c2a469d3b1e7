import { connect } from "@nats-io/transport-node";
import { expect, it } from "vitest";
import { freePort, startNatsProcess } from "../testing/nats-server.ts";
import { parseServers } from "./servers.ts";

it("the nodes of a URL have no credentials when it names none", () => {
  expect(parseServers("nats://one:4222,nats://two")).toEqual({ servers: ["nats://one:4222", "nats://two"] });
});

it("the nodes of a URL have the credentials of the first that has some", () => {
  expect(parseServers("nats://one,nats://weft:s%2Ccret@two:4223,nats://other:x@three")).toEqual({
    servers: ["nats://one", "nats://two:4223", "nats://three"],
    user: "weft",
    pass: "s,cret",
  });
  expect(parseServers("nats://t0ken@one")).toEqual({ servers: ["nats://one"], token: "t0ken" });
});

it.each([
  ["a user's password", ["--user", "weft", "--pass", "4secret"], "weft:4secret"],
  ["a token", ["--auth", "t0ken"], "t0ken"],
])("a server that asks for %s gets it", async (_, options, credentials) => {
  const port = await freePort();
  const server = await startNatsProcess(["-a", "127.0.0.1", "-p", `${port}`, ...options]);
  try {
    await expect(connect({ servers: `127.0.0.1:${port}` })).rejects.toThrow(/authorization/i);
    const connection = await connect(parseServers(`nats://${credentials}@127.0.0.1:${port}`));
    await connection.flush();
    await connection.close();
  } finally {
    server.kill();
  }
});

it("a server without TLS is refused where the URL asks for TLS", async () => {
  const port = await freePort();
  const server = await startNatsProcess(["-a", "127.0.0.1", "-p", `${port}`]);
  try {
    await expect(connect(parseServers(`tls://127.0.0.1:${port}`))).rejects.toThrow(/does not support 'tls'/);
  } finally {
    server.kill();
  }
});
