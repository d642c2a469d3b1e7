import type { StreamResponse } from "@connectrpc/connect";

/** The response, once its first message or its end is there: until then a failure can still be answered with another attempt. */
export async function withFirstMessage(response: StreamResponse): Promise<StreamResponse> {
  const source = (response.message as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const first = await source.next();
  async function* message(): AsyncGenerator<unknown, void, undefined> {
    try {
      for (let result = first; !result.done; result = await source.next()) yield result.value;
    } finally {
      await source.return?.();
    }
  }
  return { ...response, message: message() } as StreamResponse;
}
