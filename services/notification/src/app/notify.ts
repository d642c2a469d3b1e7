import type { Occasion } from "../domain/mail.ts";
import { oweMail } from "../domain/notification.ts";
import type { Addresses, Atomically, Notifications } from "./notifications.ts";

/** The event that a mail is owed for. */
export interface OwingEvent {
  readonly id: string;
  readonly userId: string;
  readonly occurredAt: Date;
}

export interface NotifyParts {
  readonly notifications: Notifications;
  readonly addresses: Addresses;
  readonly atomically: Atomically;
  /** Called once mails may be due. */
  readonly wake: () => void;
}

export type Notify = (event: OwingEvent, occasion: Occasion) => Promise<void>;

/** An event owes a mail: it is queued, to be sent once its user's address is known. */
export function notify({ notifications, addresses, atomically, wake }: NotifyParts): Notify {
  return (event, occasion) =>
    atomically(async () => {
      await notifications.add(oweMail(event, occasion, await addresses.find(event.userId)));
      wake();
    });
}
