import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { StockCommitted, StockReleased, StockReleaseReason, StockReserved } from "@shop/contracts/inventory";
import { publish } from "@weft/events";
import type { News, ReleaseCause, Reservation } from "../domain/reservation.ts";

const reasons: Readonly<Record<ReleaseCause, StockReleaseReason>> = {
  requested: StockReleaseReason.REQUESTED,
  expired: StockReleaseReason.EXPIRED,
  orderCancelled: StockReleaseReason.ORDER_CANCELLED,
};

/** Tells what became of a reservation, in the transaction that made it so. */
export async function publishNews(reservation: Reservation, news: News): Promise<void> {
  const { orderId, state, expiresAt } = reservation;
  const items = reservation.items.map(({ productId, quantity }) => ({ productId, quantity }));
  switch (news.kind) {
    case "reserved":
      // A pinned one no longer expires.
      await publish(StockReserved, {
        orderId,
        items,
        ...(state.kind === "held" && { expiresAt: timestampFromDate(expiresAt) }),
      });
      return;
    case "committed":
      await publish(StockCommitted, { orderId, items });
      return;
    case "released":
      await publish(StockReleased, { orderId, items, reason: reasons[news.cause] });
      return;
  }
}
