import { connect } from "node:http2";
import { networkInterfaces } from "node:os";
import { afterEach, expect, it } from "vitest";
import { clientOf, closeAll, closing, serveProbe } from "./testing/probe.ts";

afterEach(closeAll);

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === "::1"));

it.runIf(hasIpv6)("an IPv6 address is a host like any other", async () => {
  const { port } = await serveProbe({ ask: () => ({}) }, { host: "::1" });
  await expect(clientOf(port, { host: "::1" }).ask({})).resolves.toBeDefined();
});

it.each(["::1:80", "host:port", "host:99999", "[::1", "%"])(
  "an authority %j that is none is answered with 400, and the server goes on",
  async (authority) => {
    const { port } = await serveProbe({ ask: () => ({}) });
    const session = connect(`http://127.0.0.1:${port}`);
    closing(() => session.destroy());
    const path = "/weft.rpc.test.Probe/Ask";
    const request = session.request({ ":method": "POST", ":path": path, ":authority": authority });
    request.end();
    const status = await new Promise((resolve, reject) => {
      request.on("response", (headers) => resolve(headers[":status"])).on("error", reject);
    });
    expect(status).toBe(400);
    await expect(clientOf(port).ask({})).resolves.toBeDefined();
  },
);
