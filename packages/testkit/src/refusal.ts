import { ConnectError } from "@connectrpc/connect";

/** The error that ends the call, as its caller sees it. Rejects when the call is answered. */
export async function refusal(call: PromiseLike<unknown>): Promise<ConnectError> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error(`the call was not refused, but answered: ${JSON.stringify(answer, showBigInt)}`);
}

function showBigInt(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
