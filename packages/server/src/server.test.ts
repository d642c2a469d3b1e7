import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  Health,
  ServerReflection,
  ServerReflectionAlpha,
  ServerReflectionRequestSchema,
  ServingStatus,
} from "@weft/contracts";
import { createMemoryRegistry } from "@weft/registry";
import { silentLogger } from "@weft/telemetry";
import { expect, onTestFinished, test } from "vitest";
import { type ServedService, type Server, serve, startServer } from "./index.ts";
import { defaultPolicy, policies } from "./testing/policies.ts";

/** ServerReflection stands for a domain service: a contract that the server knows anyway. */
function reflected(serverReflectionInfo: ServiceImpl<typeof ServerReflection>["serverReflectionInfo"]): ServedService {
  const methods = { serverReflectionInfo: defaultPolicy };
  return serve(ServerReflection, { service: ServerReflection.typeName, methods }, { serverReflectionInfo });
}

async function start(services: readonly ServedService[] = [], options: { reflection?: boolean } = {}) {
  const registry = createMemoryRegistry();
  const server = await startServer({
    services,
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    registration: { registry, instance: "i-1" },
    withdrawalMs: 0,
    ...options,
  });
  onTestFinished(async () => {
    await server.close(0);
    await registry.close();
  });
  return { server, registry, transport: transportTo(server) };
}

function transportTo(server: Server) {
  return createGrpcTransport({ baseUrl: `http://${server.host}:${server.port}` });
}

test("health is NOT_SERVING until the instance is announced, and tells watchers of each change", async () => {
  const { server, transport } = await start();
  const health = createClient(Health, transport);
  expect(await health.check({})).toMatchObject({ status: ServingStatus.NOT_SERVING });
  const statuses: ServingStatus[] = [];
  const left = new AbortController();
  const watching = (async () => {
    for await (const { status } of health.watch({}, { signal: left.signal })) statuses.push(status);
  })().catch(() => {});
  await expect.poll(() => statuses).toEqual([ServingStatus.NOT_SERVING]);
  await server.announce();
  await expect.poll(() => statuses).toEqual([ServingStatus.NOT_SERVING, ServingStatus.SERVING]);
  left.abort();
  await watching;
});

test("health of a service that isn't here is NOT_FOUND, and SERVICE_UNKNOWN to a watcher", async () => {
  const { transport } = await start();
  const health = createClient(Health, transport);
  const error = await health.check({ service: "nobody.Home" }).catch((reason: unknown) => reason);
  expect(ConnectError.from(error).code).toBe(Code.NotFound);
  for await (const { status } of health.watch({ service: "nobody.Home" }, { timeoutMs: 2_000 })) {
    expect(status).toBe(ServingStatus.SERVICE_UNKNOWN);
    break;
  }
});

test("an instance is in the registry from its announcement until it closes", async () => {
  const { server, registry } = await start([reflected(async function* () {})]);
  expect(await registry.list(ServerReflection.typeName)).toEqual([]);
  await server.announce();
  expect(await registry.list(ServerReflection.typeName)).toMatchObject([{ instance: "i-1", port: server.port }]);
  await server.close(0);
  expect(await registry.list(ServerReflection.typeName)).toEqual([]);
});

test("a keyed method without a place for its responses is refused at the start", async () => {
  const keyed = { service: Health, policies: policies({ idempotencyKey: true }), implementation: {} };
  await expect(start([keyed])).rejects.toThrow(/grpc.health.v1.Health\/Check is keyed .*needs `commands`/);
});

test("a port that is taken is named", async () => {
  const { server } = await start();
  const again = startServer({ services: [], host: server.host, port: server.port, logger: silentLogger });
  await expect(again).rejects.toThrow(`127.0.0.1:${server.port} is in use`);
});

for (const [version, service] of [
  ["v1", ServerReflection],
  ["v1alpha", ServerReflectionAlpha],
] as const) {
  test(`reflection ${version} lists the services and gives each symbol's file with all that it imports`, async () => {
    const { transport } = await start();
    const client = createClient(service as typeof ServerReflection, transport);
    async function ask(
      messageRequest: NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>,
    ) {
      const answers = client.serverReflectionInfo(one(create(ServerReflectionRequestSchema, { messageRequest })));
      for await (const { messageResponse } of answers) return messageResponse;
      return expect.fail("no answer");
    }
    const listed = await ask({ case: "listServices", value: "" });
    expect(listed).toMatchObject({ case: "listServicesResponse" });
    const file = await ask({ case: "fileContainingSymbol", value: "grpc.reflection.v1.ServerReflection" });
    const descriptors = file.case === "fileDescriptorResponse" ? file.value.fileDescriptorProto : [];
    const names = descriptors.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
    expect(names).toEqual(["reflection/v1/reflection.proto"]);
    const unknown = await ask({ case: "fileByFilename", value: "nothing.proto" });
    expect(unknown).toMatchObject({ case: "errorResponse", value: { errorCode: Code.NotFound } });
  });
}

async function* one<T>(message: T): AsyncGenerator<T> {
  yield message;
}

test("an open stream ends with UNAVAILABLE when the server closes, and holds nobody up", async () => {
  const endless = reflected(async function* () {
    yield { validHost: "here" };
    await new Promise(() => {});
  });
  const { server, transport } = await start([endless], { reflection: false });
  const client = createClient(ServerReflection, transport);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { validHost } of client.serverReflectionInfo(one({ host: "x" }))) seen.push(validHost);
  })().catch((error: unknown) => ConnectError.from(error).code);
  await expect.poll(() => seen).toEqual(["here"]);
  await server.close(60_000);
  expect(await reading).toBe(Code.Unavailable);
});

test("a server that can't announce one of its services announces none", async () => {
  const registry = createMemoryRegistry();
  const refusing = {
    ...registry,
    register: (registration: Parameters<typeof registry.register>[0]) =>
      registration.service === Health.typeName
        ? Promise.reject(new Error("not yours"))
        : registry.register(registration),
  };
  const health: ServedService = { service: Health, policies: policies(), implementation: {} };
  const server = await startServer({
    services: [reflected(async function* () {}), health],
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    reflection: false,
    registration: { registry: refusing, instance: "i-1" },
  });
  onTestFinished(async () => {
    await server.close(0);
    await registry.close();
  });
  await expect(server.announce()).rejects.toThrow("not yours");
  expect(await registry.list(ServerReflection.typeName)).toEqual([]);
});

test("a policy that another service's contradicts is refused, and changes nothing", async () => {
  const bulkhead = { group: "shared", maxConcurrent: 5, maxQueue: 0, queueTimeoutMs: undefined };
  const methods = { serverReflectionInfo: { ...defaultPolicy, bulkhead } };
  const one = serve(
    ServerReflection,
    { service: ServerReflection.typeName, methods },
    {
      async *serverReflectionInfo() {},
    },
  );
  const other: ServedService = { service: Health, policies: policies({ bulkhead }), implementation: {} };
  const { server } = await start([one, other], { reflection: false });
  const live = server.policies(Health);
  expect(() => live.replace(policies({ bulkhead: { ...bulkhead, maxConcurrent: 9 } }))).toThrow(
    /stay as they are:\n {2}Two contracts of this server give the bulkhead group shared different sizes/,
  );
  expect(live.current).toEqual(policies({ bulkhead }));
  expect(server.getState().bulkheads).toMatchObject([{ group: "shared", maxConcurrent: 5 }]);
  live.replace(policies());
  expect(() => server.policies({ ...Health, typeName: "a.B" })).toThrow("a.B is not served here");
});
