import { once } from "node:events";
import { Readable } from "node:stream";
import type { JsonValue, Message } from "@bufbuild/protobuf";
import type { FastifyReply, FastifyRequest } from "fastify";
import { errorAnswer, type Route } from "../transcoding/index.ts";

/** How messages are framed on a response's body. */
interface Framing {
  readonly contentType: string;
  message(json: JsonValue): string;
  error(body: JsonValue | object): string;
  /** Said after the last message. */
  readonly end: string;
}

const lines: Framing = {
  contentType: "application/x-ndjson; charset=utf-8",
  message: (json) => `${JSON.stringify(json)}\n`,
  error: (body) => `${JSON.stringify(body)}\n`,
  end: "",
};

/** `end` lets an EventSource close: left alone it would connect again, and start anew. */
const events: Framing = {
  contentType: "text/event-stream; charset=utf-8",
  message: (json) => `data: ${JSON.stringify(json)}\n\n`,
  error: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
  end: "event: end\ndata: {}\n\n",
};

/**
 * Sends a server stream as newline-delimited JSON, or as server-sent events to who accepts those, and resolves when the
 * body has ended. An error before the first message is thrown, for an answer with its status; a later one is the last frame.
 */
export async function sendStream(
  request: FastifyRequest,
  reply: FastifyReply,
  route: Route,
  messages: AsyncIterable<Message>,
  toJson: (message: Message) => JsonValue,
): Promise<void> {
  const framing = /\btext\/event-stream\b/i.test(request.headers.accept ?? "") ? events : lines;
  const iterator = messages[Symbol.asyncIterator]();
  const first = await iterator.next();
  const frames = async function* (): AsyncGenerator<string> {
    try {
      for (let at = first; !at.done; at = await iterator.next()) yield framing.message(toJson(at.value));
      if (framing.end !== "") yield framing.end;
    } catch (error) {
      yield framing.error(errorAnswer(error, route).body);
    } finally {
      await iterator.return?.();
    }
  };
  reply.header("content-type", framing.contentType).header("cache-control", "no-store");
  const closed = once(reply.raw, "close");
  reply.send(Readable.from(frames(), { objectMode: true, highWaterMark: 1 }));
  await closed;
}
