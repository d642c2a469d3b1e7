import { resolve } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import { InventoryService, stubInventoryService } from "@shop/contracts/inventory";
import { NotificationService, stubNotificationService } from "@shop/contracts/notification";
import { OrderService, stubOrderService } from "@shop/contracts/order";
import { PaymentService, stubPaymentService } from "@shop/contracts/payment";
import { stubUserService, UserService } from "@shop/contracts/user";
import { loadExamples, type RunningStub, startStub } from "@weft/testkit";
import { openEdge, type RunningEdge } from "./running-edge.ts";

export interface StubbedEdge extends RunningEdge {
  readonly stubs: Readonly<Record<"user" | "inventory" | "order" | "payment" | "notification", RunningStub>>;
}

/** The gateway's HTTP port in front of the stubs that the contracts' own examples make. */
export async function openStubbedEdge(): Promise<StubbedEdge> {
  const stubs = {
    user: await startStub(stubUserService(examplesOf(UserService))),
    inventory: await startStub(stubInventoryService(examplesOf(InventoryService))),
    order: await startStub(stubOrderService(examplesOf(OrderService))),
    payment: await startStub(stubPaymentService(examplesOf(PaymentService))),
    notification: await startStub(stubNotificationService(examplesOf(NotificationService))),
  };
  const edge = await openEdge(
    new Map([
      [UserService.typeName, stubs.user],
      [InventoryService.typeName, stubs.inventory],
      [OrderService.typeName, stubs.order],
      [PaymentService.typeName, stubs.payment],
      [NotificationService.typeName, stubs.notification],
    ]),
  );
  return {
    ...edge,
    stubs,
    async close() {
      await edge.close();
      await Promise.all(Object.values(stubs).map((stub) => stub.close()));
    },
  };
}

function examplesOf<S extends DescService>(service: S) {
  const folder = service.typeName.split(".").slice(0, -1).join("/");
  const file = service.file.name.replace(/^.*\//, "");
  return loadExamples(service, resolve(import.meta.dirname, "../../../../proto", folder, `${file}.examples.yaml`));
}
