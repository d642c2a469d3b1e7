import { Code } from "@connectrpc/connect";
import { errorsAsCodes } from "@weft/service";
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

export const { answering, toStatus } = errorsAsCodes([
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
