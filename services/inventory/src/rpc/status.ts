import { Code } from "@connectrpc/connect";
import { errorsAsCodes } from "@weft/service";
import { ProductNotFoundError, StockLimitError } from "../domain/product.ts";
import { ReservationClosedError, ReservationDiffersError, ReservationNotFoundError } from "../domain/reservation.ts";
import { StockShortError } from "../domain/stock.ts";

export const { answering } = errorsAsCodes([
  [ProductNotFoundError, Code.NotFound],
  [ReservationNotFoundError, Code.NotFound],
  [ReservationDiffersError, Code.AlreadyExists],
  [StockShortError, Code.FailedPrecondition],
  [StockLimitError, Code.FailedPrecondition],
  [ReservationClosedError, Code.FailedPrecondition],
]);
