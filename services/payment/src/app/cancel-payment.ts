import { buryPayment } from "../domain/payment.ts";
import { cancelForOrder } from "../domain/transitions.ts";
import type { Payments } from "./payments.ts";

/** An order was cancelled: it will never be charged, and a charge that was made or is being made goes back. */
export function cancelOrderPayment(payments: Payments, now: () => Date, wakeRefunds: () => void) {
  return async (order: { readonly orderId: string; readonly userId: string }): Promise<void> => {
    const cancel = () => payments.change(order.orderId, (payment) => cancelForOrder(payment, now()));
    let payment = await cancel();
    // A payment that another transaction adds in between is there for the second look.
    if (!payment && !(await payments.add(buryPayment(order, now())))) payment = await cancel();
    if (payment?.status === "refunding") wakeRefunds();
  };
}
