import type { IncomingMessage, ServerResponse } from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import type { ConnectionLimits } from "@weft/wire";
import { toHeaders } from "../fields.ts";
import { byteBody } from "./byte-body.ts";

/** A request over HTTP/1.1 that one of Connect's own handlers answers, within the same limits as over HTTP/2. */
export function answerHttp1(
  handle: UniversalHandler,
  request: IncomingMessage,
  response: ServerResponse,
  { stalledMs, stalledStreamMs }: Pick<ConnectionLimits, "stalledMs" | "stalledStreamMs">,
): void {
  const over = new AbortController();
  const body = byteBody(() => void request.resume());
  request.on("data", (chunk: Buffer) => {
    if (!body.push(chunk, 0, chunk.length)) request.pause();
  });
  request.once("end", () => body.end());
  request.once("error", () => {});
  response.once("close", () => {
    const error = new ConnectError("the client went away", Code.Canceled);
    body.fail(error);
    over.abort(error);
  });
  const { methodKind } = handle.method;
  const isWholeRequest = methodKind === "unary" || methodKind === "server_streaming";
  const isWholeResponse = methodKind === "unary" || methodKind === "client_streaming";
  if (isWholeRequest) endUnlessComplete(request, stalledMs);
  endUnlessTaken(response, isWholeResponse ? stalledMs : stalledStreamMs);
  // An answer may be there before its request is: the rest is read and thrown away, since a client that still writes when its connection
  // is reset may not see the answer; but not for ever.
  response.once("finish", () => {
    if (request.complete) return;
    request.removeAllListeners("data").resume();
    endUnlessComplete(request, stalledMs);
  });
  const scheme = "encrypted" in request.socket ? "https" : "http";
  handle({
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    url: `${scheme}://${request.headers.host ?? "localhost"}${request.url}`,
    header: toHeaders(request.rawHeaders),
    body: body.body,
    signal: over.signal,
  })
    .then((answer) => write(answer, response))
    .catch(() => response.destroy());
}

/** Ends the connection of a request that is not there whole in time. */
function endUnlessComplete(request: IncomingMessage, ms: number): void {
  if (request.complete) return;
  const timeout = setTimeout(() => request.destroy(), ms).unref();
  for (const event of ["end", "close"]) request.once(event, () => clearTimeout(timeout));
}

/** Ends the connection of a response of which nothing is taken for so long. */
function endUnlessTaken(response: ServerResponse, ms: number): void {
  let taken = -1;
  const looking = setInterval(() => {
    const { writableLength = 0, bytesWritten = 0 } = response.socket ?? {};
    if (writableLength > 0 && bytesWritten === taken) response.destroy();
    taken = bytesWritten;
  }, ms).unref();
  response.once("close", () => clearInterval(looking));
}

async function write(
  { status, header, body, trailer }: UniversalServerResponse,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(status, header && [...header].flat());
  for await (const chunk of body ?? []) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
  if (trailer !== undefined) response.addTrailers([...trailer]);
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
