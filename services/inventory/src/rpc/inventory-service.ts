import type { ServiceImpl } from "@connectrpc/connect";
import { InventoryService, inventoryServicePolicies, RestockProductResponseSchema } from "@shop/contracts/inventory";
import { type ServedService, serve, storeResponse } from "@weft/service";
import { checkAvailability } from "../app/check-availability.ts";
import { commitReservation } from "../app/commit-reservation.ts";
import { getProduct } from "../app/get-product.ts";
import { listProducts } from "../app/list-products.ts";
import type { Products } from "../app/products.ts";
import { releaseReservation } from "../app/release-reservation.ts";
import type { Reservations } from "../app/reservations.ts";
import { reserveItems } from "../app/reserve-items.ts";
import { restockProduct } from "../app/restock-product.ts";
import { toAvailability, toProduct, toReservation } from "./messages.ts";
import { productPageTokens } from "./page-token.ts";
import { answering } from "./status.ts";

export interface InventoryServiceParts {
  readonly products: Products;
  readonly reservations: Reservations;
  readonly now: () => Date;
  /** How long stock is held for an order that doesn't come, in milliseconds. */
  readonly reservationTtlMs: number;
}

export function serveInventory({
  products,
  reservations,
  now,
  reservationTtlMs,
}: InventoryServiceParts): ServedService {
  const get = getProduct(products);
  const list = listProducts(products);
  const check = checkAvailability(products);
  const reserve = reserveItems(reservations, now, reservationTtlMs);
  const release = releaseReservation(reservations);
  const commit = commitReservation(reservations);
  const restock = restockProduct(products);

  const implementation: ServiceImpl<typeof InventoryService> = {
    getProduct: ({ productId }) => answering(async () => ({ product: toProduct(await get(productId)) })),
    listProducts: ({ pageSize, pageToken }) =>
      answering(async () => {
        const page = await list(productPageTokens.cursorOf(pageToken), pageSize || 20);
        return { products: page.products.map(toProduct), nextPageToken: productPageTokens.tokenOf(page.next) };
      }),
    checkAvailability: ({ items }) => answering(async () => ({ items: (await check(items)).map(toAvailability) })),
    getAvailability: ({ productId, quantity }) =>
      answering(async () => {
        const [availability] = (await check([{ productId, quantity: quantity || 1 }])).map(toAvailability);
        return availability ? { availability } : {};
      }),
    reserveItems: ({ orderId, items }) =>
      answering(async () => ({ reservation: toReservation(await reserve({ orderId: canonical(orderId), items })) })),
    reserveProduct: ({ orderId, productId, quantity }) =>
      answering(async () => {
        const items = [{ productId, quantity }];
        return { reservation: toReservation(await reserve({ orderId: canonical(orderId), items })) };
      }),
    releaseReservation: ({ orderId, productId }) =>
      answering(async () => ({
        reservation: toReservation(await release(canonical(orderId), productId || undefined)),
      })),
    commitReservation: ({ orderId }) =>
      answering(async () => ({ reservation: toReservation(await commit(canonical(orderId))) })),
    restockProduct: ({ productId, quantity }) =>
      answering(() =>
        storeResponse(
          RestockProductResponseSchema,
          (product) => ({ product: toProduct(product) }),
          () => restock(productId, quantity),
        ),
      ),
  };
  return serve(InventoryService, inventoryServicePolicies, implementation);
}

/** A UUID may come in capitals, and is the same one: locks and events go by its text. */
function canonical(uuid: string): string {
  return uuid.toLowerCase();
}
