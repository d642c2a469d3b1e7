import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type PaymentSchema, PaymentService, PaymentStatus, paymentServicePolicies } from "@shop/contracts/payment";
import { type ServedService, serve } from "@weft/service";
import type { Payment } from "../domain/payment.ts";
import { answering } from "./status.ts";

export interface PaymentUseCases {
  readonly get: (orderId: string) => Promise<Payment>;
  readonly process: (orderId: string) => Promise<Payment>;
  readonly refund: (orderId: string, reason: string) => Promise<Payment>;
}

export function servePayments({ get, process, refund }: PaymentUseCases): ServedService {
  const implementation: ServiceImpl<typeof PaymentService> = {
    getPayment: ({ orderId }) => answering(async () => asPayment(await get(orderId))),
    processPayment: ({ orderId }) => answering(async () => asPayment(await process(orderId))),
    refundPayment: ({ orderId, reason }) => answering(async () => asPayment(await refund(orderId, reason))),
  };
  return serve(PaymentService, paymentServicePolicies, implementation);
}

function asPayment(payment: Payment): { payment: MessageInitShape<typeof PaymentSchema> } {
  return { payment: toMessage(payment) };
}

const statuses: Readonly<Record<Payment["status"], PaymentStatus>> = {
  pending: PaymentStatus.PENDING,
  charging: PaymentStatus.PENDING,
  completed: PaymentStatus.COMPLETED,
  failed: PaymentStatus.FAILED,
  refunding: PaymentStatus.REFUNDING,
  refunded: PaymentStatus.REFUNDED,
  cancelled: PaymentStatus.CANCELLED,
};

function toMessage(payment: Payment): MessageInitShape<typeof PaymentSchema> {
  const { orderId, userId, amount, createdAt, updatedAt } = payment;
  return {
    orderId,
    userId,
    ...(amount && { amount }),
    status: statuses[payment.status],
    providerReference: "reference" in payment ? payment.reference : "",
    failureReason: payment.status === "failed" ? payment.reason : "",
    createdAt: timestampFromDate(createdAt),
    updatedAt: timestampFromDate(updatedAt),
  };
}
