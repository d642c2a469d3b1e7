import { createMesh } from "@weft/client";
import { createMemoryRegistry } from "@weft/registry";
import { expect, onTestFinished, test } from "vitest";
import { openAdmin } from "./admin.ts";

async function open() {
  const mesh = createMesh({ service: "test", registry: createMemoryRegistry() });
  const admin = await openAdmin("127.0.0.1", 0, {
    mesh,
    serverState: () => ({ inFlight: 3, bulkheads: [], shedding: undefined }),
    metrics: async () => "calls 7\n",
  });
  onTestFinished(async () => {
    await admin.close();
    await mesh.close();
  });
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
    return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
  };
  return { admin, get };
}

test("metrics, states and explanations are read from one port", async () => {
  const { get } = await open();
  expect(await get("/metrics")).toEqual({
    status: 200,
    type: "text/plain; version=0.0.4; charset=utf-8",
    text: "calls 7\n",
  });
  const state = await get("/state");
  expect(JSON.parse(state.text)).toEqual({ client: { services: [] }, server: { inFlight: 3, bulkheads: [] } });
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  expect(JSON.parse((await get(`/explain/${traceId}`)).text)).toEqual({ traceId, calls: [] });
});

test.each([
  ["/explain/4bf9", "GET", 400, /32 hexadecimal digits/],
  ["/explain/", "GET", 400, /32 hexadecimal digits/],
  ["/", "GET", 404, /\/metrics, \/state and \/explain/],
  ["//", "GET", 404, /\/metrics/],
  ["/metrics", "POST", 405, /only GET/],
])("%s by %s is %i, and the answer says what there is", async (path, method, status, words) => {
  const { get } = await open();
  const answer = await get(path, method);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text).error).toMatch(words);
});

test("a port that is taken is refused with the variable that sets it", async () => {
  const { admin } = await open();
  const mesh = createMesh({ service: "test", registry: createMemoryRegistry() });
  const again = openAdmin("127.0.0.1", admin.port, { mesh, serverState: () => undefined, metrics: async () => "" });
  await expect(again).rejects.toThrow(`WEFT_ADMIN_PORT: 127.0.0.1:${admin.port} is in use`);
  await mesh.close();
});
