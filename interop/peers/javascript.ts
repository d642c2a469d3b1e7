import assert from "node:assert/strict";
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { listen } from "@weft/rpc";
import { TestService } from "../gen/grpc/testing/test_pb.ts";
import type { Report } from "../report.ts";
import { testService } from "../service.ts";
import { checkCases, serveOurs } from "./ours.ts";

/** grpc-js and connect-node: their clients with our server, our client with their servers. */
export async function javascript(report: Report): Promise<void> {
  const ours = await serveOurs();
  for (const transport of ["wire", "grpc-js", "connect-node"] as const)
    await checkCases(report, `${transport} client, our server`, { host: "127.0.0.1", port: ours.port, transport });
  await ours.close();

  const http2 = createServer({ maxSessionMemory: 100 }, connectNodeAdapter({ routes: testService }));
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  await checkCases(report, "our client, connect-node server", {
    host: "127.0.0.1",
    port: (http2.address() as AddressInfo).port,
  });
  http2.close();

  const server = grpcJsServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  await checkCases(report, "our client, grpc-js server", { host: "127.0.0.1", port });
  server.forceShutdown();

  await report.check("grpc-js client, our server: retries by its service config", retriesByServiceConfig);
}

interface Parameters {
  readonly responseParameters: readonly { readonly size: number; readonly intervalUs: number }[];
  readonly responseStatus?: { readonly code: number; readonly message: string };
}

interface Simple {
  readonly responseSize: number;
  readonly payload?: { readonly body: Uint8Array };
  readonly responseStatus?: { readonly code: number; readonly message: string };
}

function definition(): grpc.ServiceDefinition {
  const loaded = loadSync(join(import.meta.dirname, "../proto/grpc/testing/test.proto"), {
    defaults: false,
    longs: Number,
  });
  const root = grpc.loadPackageDefinition(loaded) as unknown as {
    grpc: { testing: { TestService: { service: grpc.ServiceDefinition } } };
  };
  return root.grpc.testing.TestService.service;
}

function grpcJsServer(): grpc.Server {
  const server = new grpc.Server();
  const echo = (call: {
    readonly metadata: grpc.Metadata;
    sendMetadata(metadata: grpc.Metadata): void;
  }): grpc.Metadata => {
    const [initial, trailing] = ["x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"];
    const header = new grpc.Metadata();
    for (const value of call.metadata.get(initial)) header.add(initial, value);
    call.sendMetadata(header);
    const trailer = new grpc.Metadata();
    for (const value of call.metadata.get(trailing)) trailer.add(trailing, value);
    return trailer;
  };
  const answer = (size = 0) => ({ payload: { body: Buffer.alloc(size) } });
  server.addService(definition(), {
    EmptyCall: (_: unknown, done: grpc.sendUnaryData<object>) => done(null, {}),
    UnaryCall(call: grpc.ServerUnaryCall<Simple, object>, done: grpc.sendUnaryData<object>) {
      const { responseStatus: status } = call.request;
      if (status?.code) done({ code: status.code, details: status.message });
      else done(null, answer(call.request.responseSize), echo(call));
    },
    StreamingOutputCall(call: grpc.ServerWritableStream<Parameters, object>) {
      for (const { size } of call.request.responseParameters) call.write(answer(size));
      call.end();
    },
    StreamingInputCall(call: grpc.ServerReadableStream<Simple, object>, done: grpc.sendUnaryData<object>) {
      let size = 0;
      call.on("data", ({ payload }: Simple) => {
        size += payload?.body.length ?? 0;
      });
      call.on("end", () => done(null, { aggregatedPayloadSize: size }));
    },
    FullDuplexCall(call: grpc.ServerDuplexStream<Parameters, object>) {
      call.on("data", ({ responseParameters = [] }: Parameters) => {
        for (const { size } of responseParameters) call.write(answer(size));
      });
      call.on("end", () => call.end());
    },
  });
  return server;
}

/** Stock clients retry Trailers-Only answers and no others (gRFC A6): here it is seen that ours are such. */
async function retriesByServiceConfig(): Promise<void> {
  let attempts = 0;
  const server = await listen({
    host: "127.0.0.1",
    port: 0,
    routes: (router) =>
      router.service(TestService, {
        emptyCall() {
          attempts += 1;
          if (attempts < 3) throw new ConnectError("not yet", Code.Unavailable);
          return {};
        },
      }),
  });
  const Service = grpc.makeGenericClientConstructor(definition(), "TestService");
  const config = {
    methodConfig: [
      {
        name: [{ service: "grpc.testing.TestService" }],
        retryPolicy: {
          maxAttempts: 4,
          initialBackoff: "0.01s",
          maxBackoff: "0.05s",
          backoffMultiplier: 2,
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  };
  const client = new Service(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(config),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const call = client.EmptyCall as (request: object, done: (error: Error | null) => void) => void;
      call.call(client, {}, (error) => (error ? reject(error) : resolve()));
    });
    assert.equal(attempts, 3);
  } finally {
    client.close();
    await server.close();
  }
}
