import type { Notification } from "../domain/notification.ts";
import type { NotificationCursor, Notifications } from "./notifications.ts";

export interface NotificationPage {
  readonly notifications: readonly Notification[];
  /** Where the next page starts; undefined on the last one. */
  readonly next: NotificationCursor | undefined;
}

/** A user's notifications, newest first; none for a user that nobody has heard of. */
export function listNotifications(notifications: Notifications) {
  return async (userId: string, after: NotificationCursor | undefined, size: number): Promise<NotificationPage> => {
    // One more than asked for tells whether there is a next page.
    const found = await notifications.page(userId, after, size + 1);
    const page = found.slice(0, size);
    const last = page.at(-1);
    const next = found.length > size && last ? { createdAt: last.createdAt, id: last.id } : undefined;
    return { notifications: page, next };
  };
}
