import { createServer, type IncomingMessage, type Server } from "node:http";

/** What a simulator answers. A string body is sent as it is, anything else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

const MAX_BODY = 1024 * 1024;

/** A small HTTP server; resolves when it listens. */
export async function listen(
  port: number,
  answer: (question: Question) => Answer | Promise<Answer>,
  host = "127.0.0.1",
): Promise<Server> {
  const server = createServer((request, response) => {
    readBody(request)
      .then((body) => {
        const url = new URL(request.url ?? "/", "http://127.0.0.1");
        const { method = "GET", headers } = request;
        return answer({ method, path: url.pathname, query: url.searchParams, headers, body });
      })
      .catch((error: unknown): Answer => {
        if (error instanceof ConnectionCut) throw error;
        return { status: error instanceof BadRequest ? 400 : 500, body: { error: `${error}` } };
      })
      .then(({ status, body }) => {
        const text = typeof body === "string";
        const content = body === undefined ? "" : text ? body : `${JSON.stringify(body)}\n`;
        response.writeHead(status, { "content-type": text ? "text/plain; charset=utf-8" : "application/json" });
        response.end(content);
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}

/** The question itself is at fault; answered with 400. */
export class BadRequest extends Error {
  override readonly name = "BadRequest";
}

/** The connection is to be cut instead of answered. */
export class ConnectionCut extends Error {
  override readonly name = "ConnectionCut";
}

/** The body as a JSON object. Throws BadRequest. */
export function jsonObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new BadRequest("the body must be a JSON object");
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new BadRequest("the body is larger than 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
