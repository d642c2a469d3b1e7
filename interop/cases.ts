import assert from "node:assert/strict";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { type TestService, UnimplementedService } from "./gen/grpc/testing/test_pb.ts";

/** What every client of gRPC has to manage with every server of it (grpc/grpc doc/interop-test-descriptions.md), and a few more. */
export const cases: Readonly<
  Record<string, (client: Client<typeof TestService>, transport: Transport) => Promise<void>>
> = {
  async empty_unary(client) {
    await client.emptyCall({});
  },
  async large_unary(client) {
    const { payload } = await client.unaryCall({ responseSize: 314_159, payload: { body: new Uint8Array(271_828) } });
    assert.equal(payload?.body.length, 314_159);
  },
  async unary_of_almost_4_mib(client) {
    const size = 4 * 1024 * 1024 - 100;
    const { payload } = await client.unaryCall({ responseSize: size, payload: { body: new Uint8Array(size) } });
    assert.equal(payload?.body.length, size);
  },
  async client_streaming(client) {
    const sizes = [27_182, 8, 1_828, 45_904];
    async function* requests() {
      for (const size of sizes) yield { payload: { body: new Uint8Array(size) } };
    }
    assert.equal((await client.streamingInputCall(requests())).aggregatedPayloadSize, 74_922);
  },
  async server_streaming(client) {
    const sizes = [31_415, 9, 2_653, 58_979];
    const seen: (number | undefined)[] = [];
    for await (const { payload } of client.streamingOutputCall({ responseParameters: sizes.map((size) => ({ size })) }))
      seen.push(payload?.body.length);
    assert.deepEqual(seen, sizes);
  },
  async ping_pong(client) {
    const turns = [
      [31_415, 27_182],
      [9, 8],
      [2_653, 1_828],
      [58_979, 45_904],
    ] as const;
    let answered = Promise.withResolvers<void>();
    async function* requests() {
      for (const [size, body] of turns) {
        answered = Promise.withResolvers();
        yield { responseParameters: [{ size }], payload: { body: new Uint8Array(body) } };
        await answered.promise;
      }
    }
    const seen: (number | undefined)[] = [];
    for await (const { payload } of client.fullDuplexCall(requests())) {
      seen.push(payload?.body.length);
      answered.resolve();
    }
    assert.deepEqual(
      seen,
      turns.map(([size]) => size),
    );
  },
  async empty_stream(client) {
    async function* none() {}
    for await (const _ of client.fullDuplexCall(none())) assert.fail("there is no answer");
  },
  async custom_metadata(client) {
    const octets = Buffer.from([0xab, 0xab, 0xab]).toString("base64").replace(/=+$/, "");
    const headers = {
      "x-grpc-test-echo-initial": "test_initial_metadata_value",
      "x-grpc-test-echo-trailing-bin": octets,
    };
    let header = new Headers();
    let trailer = new Headers();
    const more = {
      headers,
      onHeader(got: Headers) {
        header = got;
      },
      onTrailer(got: Headers) {
        trailer = got;
      },
    };
    await client.unaryCall({ responseSize: 10 }, more);
    assert.equal(header.get("x-grpc-test-echo-initial"), headers["x-grpc-test-echo-initial"]);
    assert.equal(trailer.get("x-grpc-test-echo-trailing-bin")?.replace(/=+$/, ""), octets);
  },
  async status_code_and_message(client) {
    await fails(
      client.unaryCall({ responseStatus: { code: 2, message: "test status message" } }),
      Code.Unknown,
      "test status message",
    );
  },
  async special_status_message(client) {
    const message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";
    await fails(client.unaryCall({ responseStatus: { code: 2, message } }), Code.Unknown, message);
  },
  async unimplemented_method(client) {
    await fails(client.unimplementedCall({}), Code.Unimplemented);
  },
  async unimplemented_service(_, transport) {
    await fails(createClient(UnimplementedService, transport).unimplementedCall({}), Code.Unimplemented);
  },
  async cancel_after_begin(client) {
    const controller = new AbortController();
    async function* waiting() {
      yield { payload: { body: new Uint8Array(1) } };
      controller.abort();
      await new Promise(() => {});
    }
    await fails(client.streamingInputCall(waiting(), { signal: controller.signal }), Code.Canceled);
  },
  async cancel_after_first_response(client) {
    const controller = new AbortController();
    async function* waiting() {
      yield { responseParameters: [{ size: 31_415 }] };
      await new Promise(() => {});
    }
    const reading = async (): Promise<void> => {
      for await (const _ of client.fullDuplexCall(waiting(), { signal: controller.signal })) controller.abort();
    };
    await fails(reading(), Code.Canceled);
  },
  async timeout_on_sleeping_server(client) {
    async function* waiting() {
      yield { payload: { body: new Uint8Array(27_182) } };
      await new Promise(() => {});
    }
    const reading = async (): Promise<void> => {
      for await (const _ of client.fullDuplexCall(waiting(), { timeoutMs: 50 }));
    };
    await fails(reading(), Code.DeadlineExceeded);
  },
  async a_hundred_calls_at_once(client) {
    const sizes = Array.from({ length: 100 }, (_, i) => 1_000 * i);
    const answers = await Promise.all(sizes.map((responseSize) => client.unaryCall({ responseSize })));
    assert.deepEqual(
      answers.map(({ payload }) => payload?.body.length ?? 0),
      sizes,
    );
  },
};

async function fails(call: Promise<unknown>, code: Code, message?: string): Promise<void> {
  const error = await call.then(
    () => assert.fail("the call should have failed"),
    (reason: unknown) => ConnectError.from(reason),
  );
  assert.equal(error.code, code, error.message);
  if (message !== undefined) assert.equal(error.rawMessage, message);
}
