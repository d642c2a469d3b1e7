import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type AvailabilitySchema,
  type ProductSchema,
  type ReservationSchema,
  ReservationStatus,
} from "@shop/contracts/inventory";
import type { Availability } from "../app/check-availability.ts";
import type { Product } from "../domain/product.ts";
import type { Reservation, ReservationState } from "../domain/reservation.ts";

const statuses: Readonly<Record<ReservationState["kind"], ReservationStatus>> = {
  held: ReservationStatus.HELD,
  pinned: ReservationStatus.PINNED,
  committed: ReservationStatus.COMMITTED,
  released: ReservationStatus.RELEASED,
  expired: ReservationStatus.EXPIRED,
};

export function toProduct(product: Product): MessageInitShape<typeof ProductSchema> {
  const { id, name, description, price, stock, reserved } = product;
  return { id, name, description, price, stock, reserved };
}

export function toAvailability(availability: Availability): MessageInitShape<typeof AvailabilitySchema> {
  const { product, sufficient, left } = availability;
  return {
    productId: product.id,
    productName: product.name,
    unitPrice: product.price,
    available: sufficient,
    availableQuantity: left,
  };
}

export function toReservation(reservation: Reservation): MessageInitShape<typeof ReservationSchema> {
  const { orderId, items, state, expiresAt } = reservation;
  return {
    orderId,
    items: items.map(({ productId, quantity }) => ({ productId, quantity })),
    status: statuses[state.kind],
    // Where it may expire, and where it did.
    ...((state.kind === "held" || state.kind === "expired") && { expiresAt: timestampFromDate(expiresAt) }),
  };
}
