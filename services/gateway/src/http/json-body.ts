import type { JsonValue } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { BadRequestError, type ErrorAnswer, httpErrorAnswer } from "../transcoding/index.ts";

/** A body's JSON, undefined when it is empty; an answer when it isn't said to be JSON. Throws a BadRequestError when it is none. */
export function readJson(
  contentType: string | undefined,
  body: unknown,
): { readonly json: JsonValue | undefined } | ErrorAnswer {
  if (!(body instanceof Uint8Array) || body.byteLength === 0) return { json: undefined };
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    return httpErrorAnswer(415, Code.InvalidArgument, "send JSON, with content-type: application/json");
  }
  try {
    return { json: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as JsonValue };
  } catch {
    throw new BadRequestError([{ field: "", description: "the body is not JSON in UTF-8" }]);
  }
}
