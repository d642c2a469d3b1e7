import { Code, ConnectError } from "@connectrpc/connect";
import { ProductNotFoundError, StockLimitError } from "../domain/product.ts";
import { ReservationClosedError, ReservationDiffersError, ReservationNotFoundError } from "../domain/reservation.ts";
import { StockShortError } from "../domain/stock.ts";

const codes: ReadonlyMap<unknown, Code> = new Map<unknown, Code>([
  [ProductNotFoundError, Code.NotFound],
  [ReservationNotFoundError, Code.NotFound],
  [ReservationDiffersError, Code.AlreadyExists],
  [StockShortError, Code.FailedPrecondition],
  [StockLimitError, Code.FailedPrecondition],
  [ReservationClosedError, Code.FailedPrecondition],
]);

/** Answers with what `work` resolves with. The domain's errors become codes, in the domain's own words; all others pass. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStatus(error);
  }
}

function toStatus(error: unknown): unknown {
  const code = error instanceof Error ? codes.get(error.constructor) : undefined;
  return code === undefined ? error : new ConnectError((error as Error).message, code);
}
