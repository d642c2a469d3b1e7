import { Code, ConnectError } from "@connectrpc/connect";
import { ProductNotFoundError, StockLimitError } from "../domain/product.ts";
import { ReservationClosedError, ReservationDiffersError, ReservationNotFoundError } from "../domain/reservation.ts";
import { StockShortError } from "../domain/stock.ts";

/** Answers with what `work` resolves with; the domain's errors become codes, all others pass. */
export async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    throw code === undefined ? error : new ConnectError((error as Error).message, code);
  }
}

function codeOf(error: unknown): Code | undefined {
  if (error instanceof ProductNotFoundError) return Code.NotFound;
  if (error instanceof ReservationNotFoundError) return Code.NotFound;
  if (error instanceof ReservationDiffersError) return Code.AlreadyExists;
  if (error instanceof StockShortError) return Code.FailedPrecondition;
  if (error instanceof StockLimitError) return Code.FailedPrecondition;
  if (error instanceof ReservationClosedError) return Code.FailedPrecondition;
  return undefined;
}
