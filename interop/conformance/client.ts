import type { DescMessage, DescMethod, DescMethodUnary, Message } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { connect } from "@weft/rpc";
import {
  type ClientCompatRequest,
  ConformanceService,
  type Header,
  messageType,
  readMessages,
  registry,
  sleep,
  toHeaderList,
  writeMessage,
} from "./protos.ts";

// The client under test of connectconformance: Weft's transport, doing what stdin says.

interface Result {
  responseHeaders: Header[];
  responseTrailers: Header[];
  payloads: unknown[];
  error?: object;
  numUnsentRequests: number;
}

/** Of StreamType. */
const fullDuplex = 5;

async function perform(test: ClientCompatRequest): Promise<object> {
  const method = ConformanceService.methods.find(({ name }) => name === test.method);
  if (method === undefined) return { error: { message: `there is no method ${test.method}` } };
  const { clientTlsCreds: pair, serverTlsCert } = test;
  const connection = connect({
    host: test.host,
    port: test.port,
    compress: test.compression === 2,
    ...(test.messageReceiveLimit > 0 && { maxMessageBytes: test.messageReceiveLimit }),
    ...(serverTlsCert.length > 0 && {
      tls: {
        ca: Buffer.from(serverTlsCert),
        ...(pair && { cert: Buffer.from(pair.cert), key: Buffer.from(pair.key) }),
      },
    }),
  });
  try {
    return { response: await call(test, method, connection.transport) };
  } finally {
    connection.close();
  }
}

async function call(test: ClientCompatRequest, method: DescMethod, transport: Transport): Promise<Result> {
  const result: Result = { responseHeaders: [], responseTrailers: [], payloads: [], numUnsentRequests: 0 };
  const header = new Headers();
  for (const { name, value } of test.requestHeaders) for (const each of value) header.append(name, each);
  const controller = new AbortController();
  const timing = test.cancel?.cancelTiming;
  const cancelLater = (): void => {
    if (test.cancel === undefined || timing?.case === "beforeCloseSend" || timing?.case === "afterNumResponses") return;
    setTimeout(() => controller.abort(), timing?.case === "afterCloseSendMs" ? timing.value : 0);
  };
  const messages = test.requestMessages.map((each: Any) => anyUnpack(each, registry) as Message);
  try {
    if (method.methodKind === "unary") {
      if (test.requestDelayMs > 0) await sleep(test.requestDelayMs);
      cancelLater();
      const answer = await transport.unary(
        method as DescMethodUnary<DescMessage, DescMessage>,
        controller.signal,
        test.timeoutMs,
        header,
        messages[0] ?? {},
      );
      result.responseHeaders = toHeaderList(answer.header);
      result.responseTrailers = toHeaderList(answer.trailer);
      result.payloads.push((answer.message as unknown as { payload: unknown }).payload);
      return result;
    }
    let sent = 0;
    const ended = Promise.withResolvers<void>();
    let onAnswer = (): void => {};
    const answered = async (count: number): Promise<void> => {
      while (result.payloads.length < count) await new Promise<void>((resolve) => (onAnswer = resolve));
    };
    async function* requests() {
      for (const message of messages) {
        if (test.requestDelayMs > 0) await sleep(test.requestDelayMs);
        sent += 1;
        yield message;
        // In a conversation each request is answered before the next.
        if (test.streamType === fullDuplex) await Promise.race([answered(sent), ended.promise]);
      }
      if (timing?.case === "beforeCloseSend") {
        controller.abort();
        await new Promise(() => {});
      }
      cancelLater();
    }
    try {
      const answer = await transport.stream(method as never, controller.signal, test.timeoutMs, header, requests());
      result.responseHeaders = toHeaderList(answer.header);
      try {
        for await (const message of answer.message) {
          result.payloads.push((message as unknown as { payload: unknown }).payload);
          onAnswer();
          if (timing?.case === "afterNumResponses" && result.payloads.length === timing.value) controller.abort();
        }
      } finally {
        result.responseTrailers = toHeaderList(answer.trailer);
      }
    } finally {
      ended.resolve();
      result.numUnsentRequests = messages.length - sent;
    }
    if (method.methodKind === "client_streaming" && result.payloads.length !== 1) {
      const { length } = result.payloads.splice(0);
      throw new ConnectError(`${length} responses, not one`, Code.Unimplemented);
    }
  } catch (reason) {
    const error = ConnectError.from(reason);
    if (result.responseHeaders.length === 0) result.responseHeaders = toHeaderList(error.metadata);
    if (result.responseTrailers.length === 0) result.responseTrailers = toHeaderList(error.metadata);
    result.error = {
      code: error.code,
      message: error.rawMessage,
      details: error.details.map((detail) =>
        "type" in detail ? { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value } : {},
      ),
    };
  }
  return result;
}

const running: Promise<void>[] = [];
for await (const test of readMessages<ClientCompatRequest>(messageType("ClientCompatRequest"), process.stdin)) {
  const run = perform(test)
    .catch((error: unknown) => ({ error: { message: String(error) } }))
    .then((result) => {
      const [[key, value] = []] = Object.entries(result);
      writeMessage(messageType("ClientCompatResponse"), { testName: test.testName, result: { case: key, value } });
    });
  running.push(run);
}
await Promise.all(running);
