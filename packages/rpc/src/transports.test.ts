import { randomBytes } from "node:crypto";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect } from "./index.ts";
import { certificate } from "./testing/certificate.ts";
import {
  clientOver,
  closeAll,
  closing,
  type ProbeClient,
  type ProbeHandlers,
  serveProbe,
  type Text,
} from "./testing/probe.ts";

/** How a client reaches the server. */
interface Way {
  readonly name: string;
  readonly tls?: true;
  /** Over HTTP/1.1 a response begins when its request has ended. */
  readonly halfDuplex?: true;
  transport(
    to: { readonly port: number; readonly cert: string },
    more: { readonly interceptors?: Interceptor[]; readonly compress?: boolean },
  ): Transport;
}

const readMaxBytes = 4 * 1024 * 1024;

const ways: readonly Way[] = [
  ...(["wire", "connect-node", "grpc-js"] as const).flatMap((transport) =>
    [false, true].map(
      (tls) =>
        ({
          name: `gRPC by ${transport}${tls ? " over TLS" : ""}`,
          ...(tls && { tls }),
          transport: ({ port, cert }, more) => {
            const secured = tls ? { tls: { ca: cert, servername: "localhost" } } : {};
            const connection = connect({ host: "127.0.0.1", port, transport, ...secured, ...more });
            closing(() => connection.close());
            return connection.transport;
          },
        }) as Way,
    ),
  ),
  ...(["1.1", "2"] as const).flatMap((httpVersion) => {
    const halfDuplex = httpVersion === "1.1" ? ({ halfDuplex: true } as const) : {};
    const options = (port: number) => {
      const baseUrl = `http://127.0.0.1:${port}`;
      if (httpVersion === "1.1") return { baseUrl, httpVersion };
      const sessionManager = new Http2SessionManager(baseUrl);
      closing(() => sessionManager.abort());
      return { baseUrl, httpVersion, sessionManager };
    };
    return [
      {
        name: `Connect over HTTP/${httpVersion}`,
        ...halfDuplex,
        transport: ({ port }, { interceptors = [] }) =>
          createConnectTransport({ ...options(port), interceptors, readMaxBytes }),
      },
      {
        name: `gRPC-Web over HTTP/${httpVersion}`,
        ...halfDuplex,
        transport: ({ port }, { interceptors = [] }) =>
          createGrpcWebTransport({ ...options(port), interceptors, readMaxBytes }),
      },
    ] satisfies Way[];
  }),
];

let pair: { cert: string; key: string };
beforeAll(async () => {
  pair = await certificate();
});
afterEach(closeAll);

async function* texts(...values: string[]): AsyncGenerator<Text> {
  for (const value of values) yield { value };
}

async function read(messages: AsyncIterable<{ value: string }>): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of messages) values.push(value);
  return values;
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => expect.fail("the call should have failed"),
    (error: unknown) => error as ConnectError,
  );
}

describe.each(ways)("$name", ({ tls, halfDuplex, transport }) => {
  async function open(handlers: ProbeHandlers, more: Parameters<Way["transport"]>[1] = {}): Promise<ProbeClient> {
    const { port } = await serveProbe(handlers, tls ? { tls: pair } : {});
    return clientOver(transport({ port, cert: pair.cert }, more));
  }

  it("brings one message there and one back, with header fields and trailers of text and octets", async () => {
    const client = await open({
      ask({ value }, { requestHeader, responseHeader, responseTrailer }) {
        for (const name of ["x-text", "x-bin"]) {
          responseHeader.set(`head-${name}`, requestHeader.get(name) ?? "none");
          responseTrailer.set(`tail-${name}`, requestHeader.get(name) ?? "none");
        }
        return { value: `${value}!` };
      },
    });
    let header = new Headers();
    let trailer = new Headers();
    const answer = await client.ask(
      { value: "ä€😀" },
      {
        headers: { "X-Text": "one, two", "x-bin": "AP-_".replaceAll("-", "+").replaceAll("_", "/") },
        onHeader: (headers) => (header = headers),
        onTrailer: (headers) => (trailer = headers),
      },
    );
    expect(answer.value).toBe("ä€😀!");
    expect([header.get("head-x-text"), header.get("head-x-bin")]).toEqual(["one, two", "AP+/"]);
    expect([trailer.get("tail-x-text"), trailer.get("tail-x-bin")]).toEqual(["one, two", "AP+/"]);
    expect({ ...Object.fromEntries(header) }).toMatchObject({ "head-x-text": "one, two" });
  });

  it("brings streams in each direction", async () => {
    const client = await open({
      async *watch({ value }) {
        for (let i = 1; i <= 3; i++) yield { value: `${value}${i}` };
      },
      collect: async (requests) => ({ value: (await read(requests)).join("") }),
      async *talk(requests) {
        for await (const { value } of requests) yield { value: value.toUpperCase() };
      },
    });
    expect(await read(client.watch({ value: "n" }))).toEqual(["n1", "n2", "n3"]);
    expect((await client.collect(texts("a", "b", "c"))).value).toBe("abc");
    if (!halfDuplex) expect(await read(client.talk(texts("a", "b")))).toEqual(["A", "B"]);
    expect((await client.collect(texts())).value).toBe("");
  });

  const conversation = async (): Promise<void> => {
    const client = await open({
      async *talk(requests) {
        yield { value: "hello" };
        for await (const { value } of requests) yield { value: `${value} to you` };
      },
    });
    const next: PromiseWithResolvers<Text>[] = [Promise.withResolvers<Text>(), Promise.withResolvers<Text>()];
    async function* asked(): AsyncGenerator<Text> {
      for (const { promise } of next) yield await promise;
    }
    const seen: string[] = [];
    for await (const { value } of client.talk(asked())) {
      next[seen.length]?.resolve({ value: `${seen.length}` });
      seen.push(value);
    }
    expect(seen).toEqual(["hello", "0 to you", "1 to you"]);
  };
  if (!halfDuplex) it("answers each message before the next is sent", conversation);

  it("tells an error with its code, words, details and metadata", async () => {
    const refuse = (): never => {
      const detail = { desc: DurationSchema, value: { seconds: 5n } };
      throw new ConnectError("nein: 50 % zu wenig ☹", Code.FailedPrecondition, { "x-why": "because" }, [detail]);
    };
    const client = await open({
      ask: refuse,
      async *watch() {
        yield { value: "first" };
        refuse();
      },
    });
    const seen: string[] = [];
    const watching = async () => {
      for await (const { value } of client.watch({})) seen.push(value);
    };
    for (const call of [client.ask({}), watching()]) {
      const error = await failureOf(call);
      expect([error.code, error.rawMessage]).toEqual([Code.FailedPrecondition, "nein: 50 % zu wenig ☹"]);
      expect(error.metadata.get("x-why")).toBe("because");
      expect(error.findDetails(DurationSchema).map(({ seconds }: Duration) => seconds)).toEqual([5n]);
    }
    expect(seen).toEqual(["first"]);
  });

  it("ends at its deadline, of which the handler knows", async () => {
    const told = Promise.withResolvers<unknown>();
    const client = await open({
      ask: (_request, { signal, timeoutMs }) =>
        new Promise(() => {
          const left = timeoutMs();
          signal.addEventListener("abort", () =>
            told.resolve([left !== undefined && left > 0 && left <= 150, ConnectError.from(signal.reason).code]),
          );
        }),
    });
    const error = await failureOf(client.ask({}, { timeoutMs: 150 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    const [left, code] = (await told.promise) as [boolean, Code];
    expect(left).toBe(true);
    // Whichever of the two ends it first.
    expect([Code.DeadlineExceeded, Code.Canceled]).toContain(code);
  });

  it("is cancelled by its caller, of which the handler is told", async () => {
    const controller = new AbortController();
    const told = Promise.withResolvers<void>();
    const client = await open({
      async *watch(_request, { signal }) {
        signal.addEventListener("abort", () => told.resolve());
        yield { value: "first" };
        await new Promise(() => {});
      },
    });
    const reading = (async () => {
      for await (const _ of client.watch({}, { signal: controller.signal })) controller.abort(new Error("enough"));
    })();
    const error = await failureOf(reading);
    expect(error.code).toBe(Code.Canceled);
    await told.promise;
    expect((await failureOf(client.ask({}, { signal: controller.signal }))).code).toBe(Code.Canceled);
  });

  it("knows a method that the server has not", async () => {
    const error = await failureOf((await open({})).ask({}));
    expect(error.code).toBe(Code.Unimplemented);
  });

  it("refuses what is larger than both sides allow", async () => {
    const large = "x".repeat(5 * 1024 * 1024);
    const client = await open({
      ask: () => ({ value: large }),
      collect: async (requests) => ({ value: String((await read(requests)).length) }),
    });
    expect((await failureOf(client.ask({}))).code).toBe(Code.ResourceExhausted);
    expect((await failureOf(client.collect(texts("a", large)))).code).toBe(Code.ResourceExhausted);
  });

  it.each([false, true])("brings messages of 4 MiB, compressed: %s", async (compress) => {
    const client = await open({ ask: ({ value }) => ({ value }) }, { compress });
    const value = "0123456789abcdef".repeat(256 * 1024 - 1);
    expect((await client.ask({ value })).value === value).toBe(true);
  });

  it("passes its interceptors, on unary calls and on streams", async () => {
    const marked: Interceptor = (next) => async (request) => {
      request.header.set("x-mark", "seen");
      const response = await next(request);
      response.header.set("x-back", response.stream ? "stream" : "unary");
      return response;
    };
    const client = await open(
      {
        ask: (_request, { requestHeader }) => ({ value: requestHeader.get("x-mark") ?? "" }),
        async *watch(_request, { requestHeader }) {
          yield { value: requestHeader.get("x-mark") ?? "" };
        },
      },
      { interceptors: [marked] },
    );
    const backs: (string | null)[] = [];
    const onHeader = (headers: Headers) => void backs.push(headers.get("x-back"));
    expect((await client.ask({}, { onHeader })).value).toBe("seen");
    expect(await read(client.watch({}, { onHeader }))).toEqual(["seen"]);
    expect(backs).toEqual(["unary", "stream"]);
  });

  it("waits for a reader that is slow, and for a writer", async () => {
    let made = 0;
    const block = randomBytes(48 * 1024).toString("base64");
    const client = await open({
      async *watch() {
        for (; made < 400; made++) yield { value: block };
      },
    });
    let seen = 0;
    for await (const _ of client.watch({})) {
      seen += 1;
      if (seen === 1) {
        let before = -1;
        while (before !== made) {
          before = made;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        // Far from the 25 MiB that there are: what sockets and windows hold.
        expect(made).toBeLessThan(350);
      }
    }
    expect(seen).toBe(400);
  });
});
