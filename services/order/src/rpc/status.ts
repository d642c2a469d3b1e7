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

const codes = new Map<unknown, Code>([
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

/** The domain's errors as codes, in the domain's own words; all others pass as they are. */
export function toStatus(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codes.get(error.constructor);
  return code === undefined ? error : new ConnectError(error.message, code);
}
