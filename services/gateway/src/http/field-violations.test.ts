import type { ServiceImpl } from "@connectrpc/connect";
import { UserService, userServicePolicies } from "@shop/contracts/user";
import { creationPageTokens, invalidField, type Server, serve, startServer } from "@weft/service";
import { silentLogger } from "@weft/telemetry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { handedOn } from "../forward/index.ts";
import { openEdge, type RunningEdge } from "../testing/running-edge.ts";

let server: Server;
let edge: RunningEdge;

/** A service that refuses what no rule of its contract can tell. */
beforeAll(async () => {
  const implementation: Partial<ServiceImpl<typeof UserService>> = {
    async listUsers({ pageToken }) {
      creationPageTokens.cursorOf(pageToken);
      return {};
    },
    updateUser: () => Promise.reject(invalidField("user.name", "value is required")),
  };
  const served = serve(UserService, handedOn(userServicePolicies), implementation as ServiceImpl<typeof UserService>);
  server = await startServer({ services: [served], host: "127.0.0.1", port: 0, logger: silentLogger });
  edge = await openEdge(new Map([[UserService.typeName, server]]));
});
afterAll(async () => {
  await edge?.close();
  await server?.close(0);
});

async function errorOf(path: string, init?: RequestInit) {
  const response = await fetch(`${edge.url}${path}`, init);
  const { error } = (await response.json()) as { error: { message: string; details: unknown } };
  return { ...error, status: response.status };
}

test("a forged page token is named as REST spells it", async () => {
  const description = "value is not a token of this list: pass on the one that the page before gave";
  expect(await errorOf("/v1/users?pageToken=forged")).toMatchObject({
    status: 400,
    message: `pageToken: ${description}`,
    details: [{ fieldViolations: [{ field: "pageToken", description }] }],
  });
});

test("a field that a use case refuses is named as the body has it", async () => {
  const init = { method: "PATCH", headers: { "content-type": "application/json" }, body: '{"name":""}' };
  expect(await errorOf("/v1/users/a0000000-0000-4000-8000-000000000001", init)).toMatchObject({
    status: 400,
    message: "name: value is required",
    details: [{ fieldViolations: [{ field: "name", description: "value is required" }] }],
  });
});
