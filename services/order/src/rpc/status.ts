import { Code, ConnectError } from "@connectrpc/connect";
import { AmountTooLargeError, MixedCurrenciesError } from "../domain/money.ts";
import { OrderNotFoundError, PaymentConfirmsError } from "../domain/order.ts";
import { TransitionRefusedError } from "../domain/order-status.ts";
import {
  KeyReusedError,
  OutOfStockError,
  PeerAwayError,
  ProductNotFoundError,
  UserDeletedError,
  UserNotFoundError,
} from "../domain/refusals.ts";

const codes: ReadonlyMap<unknown, Code> = new Map<unknown, Code>([
  [OrderNotFoundError, Code.NotFound],
  [UserNotFoundError, Code.NotFound],
  [ProductNotFoundError, Code.NotFound],
  [UserDeletedError, Code.FailedPrecondition],
  [OutOfStockError, Code.FailedPrecondition],
  [TransitionRefusedError, Code.FailedPrecondition],
  [PaymentConfirmsError, Code.FailedPrecondition],
  [MixedCurrenciesError, Code.FailedPrecondition],
  [AmountTooLargeError, Code.FailedPrecondition],
  // As the server answers a key that it knows with another request.
  [KeyReusedError, Code.InvalidArgument],
  [PeerAwayError, Code.Unavailable],
]);

/** Answers with what `work` resolves with. The domain's errors become codes, in the domain's own words; all others pass. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStatus(error);
  }
}

/** The same for what is thrown out of a stream. */
export function toStatus(error: unknown): unknown {
  const code = error instanceof Error ? codes.get(error.constructor) : undefined;
  return code === undefined ? error : new ConnectError((error as Error).message, code);
}
