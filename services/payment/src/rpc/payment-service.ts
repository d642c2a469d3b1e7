import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type PaymentSchema, PaymentService, PaymentStatus, paymentServicePolicies } from "@shop/contracts/payment";
import { type ServedService, serve } from "@weft/service";
import { NothingChargedError, type Payment, PaymentNotFoundError } from "../domain/payment.ts";

export interface PaymentUseCases {
  readonly get: (orderId: string) => Promise<Payment>;
  readonly process: (orderId: string) => Promise<Payment>;
  readonly refund: (orderId: string, reason: string) => Promise<Payment>;
}

export function servePayments({ get, process, refund }: PaymentUseCases): ServedService {
  const implementation: ServiceImpl<typeof PaymentService> = {
    getPayment: ({ orderId }) => answering(() => get(orderId)),
    processPayment: ({ orderId }) => answering(() => process(orderId)),
    refundPayment: ({ orderId, reason }) => answering(() => refund(orderId, reason)),
  };
  return serve(PaymentService, paymentServicePolicies, implementation);
}

async function answering(work: () => Promise<Payment>): Promise<{ payment: MessageInitShape<typeof PaymentSchema> }> {
  try {
    return { payment: toMessage(await work()) };
  } catch (error) {
    throw toStatus(error);
  }
}

/** The domain's errors as codes; all others pass. */
function toStatus(error: unknown): unknown {
  if (error instanceof PaymentNotFoundError) return new ConnectError(error.message, Code.NotFound);
  if (error instanceof NothingChargedError) return new ConnectError(error.message, Code.FailedPrecondition);
  return error;
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
