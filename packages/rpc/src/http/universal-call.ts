import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { errorCode, type Http2Stream, type RequestHead, type StreamHandler } from "@weft/wire";
import { toHeaders, toHttpFields } from "../fields.ts";
import { byteBody } from "./byte-body.ts";

/** A request that one of Connect's own handlers answers: of the protocols Connect and gRPC-Web. */
export class UniversalCall implements StreamHandler {
  readonly #stream: Http2Stream;
  readonly #body: ReturnType<typeof byteBody>;
  readonly #over = new AbortController();
  /** The request is there whole, or never will be. */
  readonly #ended = Promise.withResolvers<void>();
  #roomy: PromiseWithResolvers<void> | undefined;

  constructor(handle: UniversalHandler, stream: Http2Stream, head: RequestHead, fields: readonly string[]) {
    this.#stream = stream;
    this.#body = byteBody((octets) => stream.consume(octets));
    const { methodKind } = handle.method;
    stream.wholeRequest = methodKind === "unary" || methodKind === "server_streaming";
    stream.wholeResponse = methodKind === "unary" || methodKind === "client_streaming";
    stream.hold();
    const request = {
      httpVersion: "2.0",
      method: head.method,
      url: `${head.scheme}://${head.authority || "localhost"}${head.path}`,
      header: toHeaders(fields),
      body: this.#body.body,
      signal: this.#over.signal,
    };
    // A request without a body is one when its end is there.
    const begun = head.method === "GET" ? this.#ended.promise : Promise.resolve();
    begun
      .then(() => handle(request))
      .then((response) => this.#answer(response))
      .catch(() => stream.reset(errorCode.internalError))
      .finally(() => stream.release());
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#body.push(bytes, start, end);
  }

  onTrailers(): void {
    // These protocols have none in a request.
  }

  onEnd(): void {
    this.#body.end();
    this.#ended.resolve();
  }

  onReset(_code: number | undefined, reason: string): void {
    const error = new ConnectError(reason, Code.Canceled);
    this.#body.fail(error);
    this.#over.abort(error);
    this.#ended.resolve();
    this.#roomy?.resolve();
  }

  onDrained(): void {
    this.#roomy?.resolve();
  }

  async #answer({ status, header, body, trailer }: UniversalServerResponse): Promise<void> {
    const stream = this.#stream;
    if (body === undefined && !stream.remoteEnded) {
      // Nobody has looked at the request's body: it is read to its end, and thrown away.
      stream.wholeRequest = true;
      this.#body.leave();
      await this.#ended.promise;
    }
    stream.sendHeaders([], toHttpFields(header, [":status", String(status)]), body === undefined);
    if (body !== undefined) {
      for await (const chunk of body) {
        if (stream.localEnded) break;
        if (!stream.sendData(chunk)) await this.#drained();
      }
      const trailers = toHttpFields(trailer);
      if (trailers.length > 0) stream.sendTrailers([], trailers);
      else stream.sendData(nothing, true);
    }
    // An answer that was sent before the request was there whole: the rest is not wanted.
    if (stream.localEnded && !stream.remoteEnded) stream.reset(errorCode.noError);
  }

  async #drained(): Promise<void> {
    this.#roomy = Promise.withResolvers();
    if (this.#over.signal.aborted) return;
    await this.#roomy.promise;
  }
}

const nothing = new Uint8Array(0);

/** An answer that needs no handler. */
export function answerPlainly(stream: Http2Stream, status: number): StreamHandler {
  stream.sendHeaders([], [":status", String(status), "content-length", "0"], true);
  if (!stream.remoteEnded) stream.reset(errorCode.noError);
  return ignored;
}

const ignored: StreamHandler = { onData() {}, onTrailers() {}, onEnd() {}, onReset() {}, onDrained() {} };
