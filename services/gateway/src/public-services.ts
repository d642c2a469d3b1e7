import type { DescService } from "@bufbuild/protobuf";
import { InventoryService, inventoryServicePolicies } from "@shop/contracts/inventory";
import { NotificationService, notificationServicePolicies } from "@shop/contracts/notification";
import { OrderService, orderServicePolicies } from "@shop/contracts/order";
import { PaymentService, paymentServicePolicies } from "@shop/contracts/payment";
import { UserService, userServicePolicies } from "@shop/contracts/user";
import type { ServedService } from "@weft/service";

/** A contract that the outside sees, with what its calls may do. */
export interface PublicService {
  readonly service: DescService;
  readonly policies: ServedService["policies"];
}

export const publicServices: readonly PublicService[] = [
  { service: UserService, policies: userServicePolicies },
  { service: InventoryService, policies: inventoryServicePolicies },
  { service: OrderService, policies: orderServicePolicies },
  { service: PaymentService, policies: paymentServicePolicies },
  { service: NotificationService, policies: notificationServicePolicies },
];
