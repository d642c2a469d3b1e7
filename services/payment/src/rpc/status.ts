import { Code } from "@connectrpc/connect";
import { errorsAsCodes } from "@weft/service";
import { NothingChargedError, PaymentNotFoundError } from "../domain/payment.ts";

export const { answering } = errorsAsCodes([
  [PaymentNotFoundError, Code.NotFound],
  [NothingChargedError, Code.FailedPrecondition],
]);
