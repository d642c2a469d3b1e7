import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type StreamResponse, type Transport, type UnaryResponse } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import type { ClientDuplexStream, Client as GrpcClient, Metadata, StatusObject } from "@grpc/grpc-js";
import { markFromPeer, markNeverProcessed } from "../errors.ts";
import { type FieldsInit, toFields } from "../fields.ts";
import { binaryCodec } from "../protobuf/codec.ts";
import type { Connection, ResolvedOptions } from "./resolved-options.ts";
import { wrongNumber } from "./status-error.ts";
import { timeoutOf } from "./timeout-of.ts";

type Grpc = typeof import("@grpc/grpc-js");
type Requests = AsyncIterable<MessageInitShape<DescMessage>>;

/** By `@grpc/grpc-js`, which whoever chooses it installs. */
export function grpcJs(options: ResolvedOptions): Connection {
  let opened: Promise<{ readonly grpc: Grpc; readonly client: GrpcClient }> | undefined;
  const open = () => {
    opened ??= load().then((grpc) => ({ grpc, client: createGrpcClient(grpc, options) }));
    return opened;
  };
  const begin = async (
    method: DescMethod,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: FieldsInit,
    requests: Requests,
  ): Promise<StreamResponse> => {
    if (signal?.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
    const { grpc, client } = await open();
    const limit = timeoutOf(timeoutMs);
    const deadline = limit === undefined ? {} : { deadline: Date.now() + limit };
    const input = binaryCodec(method.input);
    const output = binaryCodec(method.output);
    const call = client.makeBidiStreamRequest<MessageInitShape<DescMessage>, MessageShape<DescMessage>>(
      `/${method.parent.typeName}/${method.name}`,
      (message) => Buffer.from(input.write(message)),
      (bytes) => output.read(bytes),
      toMetadata(grpc, header),
      deadline,
    );
    return exchange(method, call, requests, signal);
  };
  const transport: Transport = {
    async unary(method, signal, timeoutMs, header, input) {
      const response = await begin(method, signal, timeoutMs, header, one(input));
      const messages: unknown[] = [];
      for await (const message of response.message) messages.push(message);
      if (messages.length !== 1) throw wrongNumber(method, messages.length);
      const { service, header: responseHeader, trailer } = response;
      const message = messages[0] as MessageShape<typeof method.output>;
      return { stream: false, service, method, header: responseHeader, trailer, message } as UnaryResponse<
        typeof method.input,
        typeof method.output
      >;
    },
    async stream(method, signal, timeoutMs, header, input) {
      return (await begin(method, signal, timeoutMs, header, input)) as never;
    },
  };
  return { transport, close: () => void opened?.then(({ client }) => client.close()) };
}

async function load(): Promise<Grpc> {
  try {
    return await import("@grpc/grpc-js");
  } catch (cause) {
    const message = "the transport grpc-js needs the package @grpc/grpc-js: npm install @grpc/grpc-js";
    throw new ConnectError(message, Code.FailedPrecondition, undefined, undefined, cause);
  }
}

function createGrpcClient(grpc: Grpc, { host, authority, port, tls, ...options }: ResolvedOptions): GrpcClient {
  const credentials =
    tls === undefined
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createFromSecureContext(tls.secureContext, {
          ...(tls.rejectUnauthorized !== undefined && { rejectUnauthorized: tls.rejectUnauthorized }),
        });
  const gzip = 2;
  return new grpc.Client(`${authority}:${port}`, credentials, {
    "grpc.max_receive_message_length": options.maxMessageBytes,
    "grpc.max_send_message_length": options.maxMessageBytes,
    "grpc.keepalive_time_ms": options.pingIntervalMs,
    "grpc.keepalive_timeout_ms": options.pingTimeoutMs,
    // Retries are the contract's.
    "grpc.enable_retries": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    ...(options.compress && { "grpc.default_compression_algorithm": gzip }),
    ...(tls?.servername !== undefined && { "grpc.ssl_target_name_override": tls.servername }),
  });
}

type Call = ClientDuplexStream<MessageInitShape<DescMessage>, MessageShape<DescMessage>>;

async function exchange(
  method: DescMethod,
  call: Call,
  requests: Requests,
  signal: AbortSignal | undefined,
): Promise<StreamResponse> {
  let failure: ConnectError | undefined;
  const header = new Headers();
  const trailer = new Headers();
  const fail = (error: ConnectError): void => {
    failure ??= error;
    call.cancel();
  };
  const onAbort = (): void => fail(ConnectError.from(signal?.reason, Code.Canceled));
  signal?.addEventListener("abort", onAbort, { once: true });
  const answered = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<StatusObject>();
  call.on("metadata", (metadata: Metadata) => {
    copy(metadata, header);
    answered.resolve();
  });
  call.on("status", (status: StatusObject) => {
    signal?.removeEventListener("abort", onAbort);
    copy(status.metadata, trailer);
    ended.resolve(status);
    answered.resolve();
  });
  // What it says stands in the status too.
  call.on("error", () => {});
  void send(call, requests, ended.promise).catch((error: unknown) => fail(ConnectError.from(error)));
  await answered.promise;
  const errorOf = (status: StatusObject): ConnectError | undefined =>
    failure ?? (status.code === 0 ? undefined : toError(status, header, trailer));
  async function* messages(): AsyncGenerator<MessageShape<DescMessage>> {
    let isComplete = false;
    try {
      yield* call;
      isComplete = true;
    } catch {
      isComplete = true;
    } finally {
      if (!isComplete) call.cancel();
    }
    const error = errorOf(await ended.promise);
    if (error !== undefined) throw error;
  }
  const early = call.readableLength === 0 && header.keys().next().done ? await settled(ended.promise) : undefined;
  const error = early && errorOf(early);
  if (error !== undefined) throw error;
  return { stream: true, service: method.parent, method, header, trailer, message: messages() } as StreamResponse;
}

/** What a promise has resolved with by now. */
function settled<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setImmediate(resolve, undefined))]);
}

async function send(call: Call, requests: Requests, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  const source = requests[Symbol.asyncIterator]();
  void ended.then(() => {
    isOver = true;
    // A source that waits for something else would wait for nothing.
    source.return?.()?.catch(() => {});
  });
  for (let next = await source.next(); !next.done && !isOver; next = await source.next()) {
    if (!call.write(next.value))
      await Promise.race([new Promise<void>((resolve) => call.once("drain", resolve)), ended]);
  }
  call.end();
}

async function* one<T>(message: T): AsyncGenerator<T> {
  yield message;
}

function toMetadata(grpc: Grpc, header: FieldsInit): Metadata {
  const metadata = new grpc.Metadata();
  const fields = toFields(new Headers(header));
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    metadata.add(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

function copy(metadata: Metadata, headers: Headers): void {
  for (const [name, values] of Object.entries(metadata.toJSON())) {
    for (const value of values)
      headers.append(name, typeof value === "string" ? value : value.toString("base64").replace(/=+$/, ""));
  }
}

function toError(status: StatusObject, header: Headers, trailer: Headers): ConnectError {
  const code: number = status.code;
  const metadata = new Headers(header);
  for (const [name, value] of trailer) metadata.append(name, value);
  const details = trailer.has("grpc-status-details-bin") ? findTrailerError(metadata) : undefined;
  if (details !== undefined) return details;
  if (code === Code.Unavailable && /No connection established|REFUSED_STREAM/.test(status.details)) {
    const cause = new Error(status.details);
    const error = new ConnectError("the call did not reach the server", Code.Unavailable, metadata, undefined, cause);
    markNeverProcessed(error);
    return error;
  }
  if (code === Code.Unavailable && /Connection dropped|ECONNRESET|without a status/.test(status.details)) {
    const cause = new Error(status.details);
    return new ConnectError("the connection was lost during the call", Code.Unavailable, metadata, undefined, cause);
  }
  const error = new ConnectError(status.details, code, metadata);
  error.isWireError = true;
  return markFromPeer(error);
}
