import type { DescService, JsonValue } from "@bufbuild/protobuf";
import { fromJson, type Message, toJson } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createMesh, type ServicePolicies } from "@weft/client";
import { createMemoryRegistry } from "@weft/registry";
import { type Connection, connect } from "@weft/rpc";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServiceExamples } from "../examples/example.ts";
import { parseExamples } from "../examples/load.ts";
import { compileNoteService, fittingExamples } from "../testing/note-service.ts";
import { type RunningStub, startStub } from "./start-stub.ts";

let service: DescService;
let examples: ServiceExamples;
let stub: RunningStub;
let connection: Connection;
const made = "11111111-2222-4333-8444-555555555555";

beforeAll(async () => {
  service = compileNoteService();
  examples = parseExamples(service, fittingExamples, "notes.yaml");
  stub = await startStub({ service, examples }, { newUuid: () => made });
  connection = connect(stub);
});
afterAll(async () => {
  connection.close();
  await stub.close();
});

type Invoke = (request: Message, options?: CallOptions) => unknown;

function invoke(
  name: string,
  request: JsonValue,
  options?: CallOptions,
): { answer: unknown; output: (m: Message) => JsonValue } {
  const method = service.methods.find((m) => m.name === name);
  if (method === undefined) throw new Error(`no method ${name}`);
  const client = createClient(service, connection.transport) as Record<string, Invoke>;
  const answer = client[method.localName]?.(fromJson(method.input, request), options);
  return { answer, output: (message) => toJson(method.output, message) };
}

async function call(name: string, request: JsonValue): Promise<JsonValue> {
  const { answer, output } = invoke(name, request);
  return output((await answer) as Message);
}

async function failure(work: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await work.then(
      () => new Error("it answered"),
      (error: unknown) => error,
    ),
  );
}

describe("a stub", () => {
  it("answers an example's request with its response, and with a fitting value for each matcher", async () => {
    expect(await call("AddNote", { text: "buy milk", colour: "COLOUR_YELLOW", mask: "text,colour" })).toEqual({
      note: {
        id: "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a59",
        text: "milk",
        sizeBytes: "8",
        colour: "COLOUR_YELLOW",
        addedAt: "2026-01-02T03:04:05Z",
      },
    });
  });

  it("puts the state's values for their placeholders", async () => {
    const id = "5f0c7f6e-1111-4222-8333-444444444444";
    expect(await call("GetNote", { noteId: id })).toEqual({
      note: { id, text: "buy milk", tags: ["home", "buy milk"], labels: { by: "ada" } },
    });
  });

  it("gives an id of the request back where the example leaves it open", async () => {
    const id = "n-99999999-8888-4777-8666-555555555555";
    expect(await call("GetNote", { noteId: id, withLabels: true })).toMatchObject({ note: { id, text: made } });
  });

  it("fails as the example does", async () => {
    const error = await failure(call("GetNote", { noteId: "nothing" }));
    expect([error.code, error.rawMessage]).toEqual([Code.NotFound, "no note nothing"]);
    const refusal = await failure(call("AddNote", {}));
    expect([refusal.code, refusal.rawMessage]).toEqual([Code.InvalidArgument, "text: value is required"]);
  });

  it("streams an example's responses", async () => {
    const { answer, output } = invoke("WatchNotes", { tag: "home" });
    const messages: JsonValue[] = [];
    for await (const message of answer as AsyncIterable<Message>) messages.push(output(message));
    expect(messages).toEqual([
      { note: { id: "5f0c7f6e-1111-4222-8333-444444444444", tags: ["text", "text"] } },
      { note: { sizeBytes: "1" } },
    ]);
  });

  it("leaves a stream open until its caller goes", async () => {
    const abort = new AbortController();
    const { answer, output } = invoke("WatchNotes", { tag: "more" }, { signal: abort.signal });
    const messages: JsonValue[] = [];
    const watch = async () => {
      for await (const message of answer as AsyncIterable<Message>) {
        messages.push(output(message));
        abort.abort();
      }
    };
    expect((await failure(watch())).code).toBe(Code.Canceled);
    expect(messages).toEqual([{ note: { tags: ["more"] } }]);
  });

  it("says which examples there are when a request is none of them", async () => {
    const error = await failure(call("GetNote", { noteId: "something", withLabels: true }));
    expect(error.code).toBe(Code.Unimplemented);
    expect(error.rawMessage).toContain(
      'no example of GetNote has the request {"noteId":"something","withLabels":true}',
    );
    expect(error.rawMessage).toContain('"knows no such note" (line 35): noteId is "something", not "nothing"');
  });

  it("takes no request that has more than the example says", async () => {
    const error = await failure(call("GetNote", { noteId: "nothing", withLabels: true }));
    expect(error.rawMessage).toContain('"knows no such note" (line 35): withLabels is set');
  });

  it("keeps what it was asked, headers too", async () => {
    const method = service.methods[1];
    if (method === undefined) throw new Error("the contract has no second method");
    await failure(
      invoke("GetNote", { noteId: "nothing" }, { headers: { "x-from": "the test" } }).answer as Promise<unknown>,
    );
    const last = stub.calls.at(-1);
    expect(last?.example.name).toBe("knows no such note");
    expect(last?.request).toEqual(fromJson(method.input, { noteId: "nothing" }));
    expect(last?.headers.get("x-from")).toBe("the test");
  });

  it("is found and called by a mesh, whose breakers and retries don't mistake its answers", async () => {
    const registry = createMemoryRegistry();
    const registered = await startStub({ service, examples }, { registry });
    const mesh = createMesh({ service: "tests", registry });
    const client = mesh.client(service, policiesOf(service)) as Record<string, Invoke>;
    const method = service.methods[1];
    if (method === undefined) throw new Error("the contract has no second method");
    const get = (noteId: string) => client.getNote?.(fromJson(method.input, { noteId })) as Promise<Message>;
    for (let i = 0; i < 6; i += 1) expect((await failure(get("nothing"))).code).toBe(Code.NotFound);
    const answer = await get("5f0c7f6e-1111-4222-8333-444444444444");
    expect(toJson(method.output, answer)).toMatchObject({ note: { text: "buy milk" } });
    expect(registered.calls.map(({ example }) => example.name)).toEqual([
      ...Array.from({ length: 6 }, () => "knows no such note"),
      "finds a note",
    ]);
    await mesh.close();
    await registered.close();
    await registry.close();
  });

  it("is found in a registry for as long as it runs", async () => {
    const registry = createMemoryRegistry();
    const registered = await startStub({ service, examples }, { registry });
    expect(await registry.list(service.typeName)).toMatchObject([{ host: registered.host, port: registered.port }]);
    await registered.close();
    expect(await registry.list(service.typeName)).toEqual([]);
    await registry.close();
  });
});

function policiesOf(service: DescService): ServicePolicies {
  const policy: ServicePolicies["methods"][string] = {
    timeoutMs: 5_000,
    idempotent: true,
    idempotencyKey: false,
    retry: {
      maxAttempts: 3,
      perAttemptTimeoutMs: undefined,
      baseDelayMs: 1,
      maxDelayMs: 1,
      multiplier: 1,
      jitter: 0,
      codes: ["UNAVAILABLE"],
    },
    hedge: undefined,
    circuitBreaker: { trip: { kind: "consecutive", failures: 5 }, openForMs: 60_000, halfOpenSuccesses: 3 },
    bulkhead: undefined,
    allowedCallers: [],
    criticality: "normal",
    balancer: { kind: "peak-ewma" },
  };
  const methods = Object.fromEntries(service.methods.map(({ localName }) => [localName, policy]));
  return { service: service.typeName, methods };
}
