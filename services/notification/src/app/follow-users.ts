import { type NotifyParts, notify, type OwingEvent } from "./notify.ts";

export interface UserDetails {
  readonly email: string;
  readonly name: string;
}

/** Keeps the addresses as user events tell of them, and owes the mails that belong to that. */
export function followUsers(parts: NotifyParts) {
  const { addresses, notifications, atomically } = parts;
  const owe = notify(parts);
  return {
    created: (event: OwingEvent, { email, name }: UserDetails): Promise<void> =>
      atomically(async () => {
        await addresses.put(event.userId, email);
        await notifications.resolve(event.userId);
        await owe(event, { kind: "welcome", name });
      }),

    /** Where no address was known before, nothing says that it changed. */
    updated: (event: OwingEvent, { email, name }: UserDetails): Promise<void> =>
      atomically(async () => {
        const before = await addresses.find(event.userId);
        await addresses.put(event.userId, email);
        await notifications.resolve(event.userId);
        if (before.kind === "known" && before.email !== email) await owe(event, { kind: "email_changed", name, email });
      }),

    /** What is queued still goes. */
    deleted: ({ userId }: Pick<OwingEvent, "userId">): Promise<void> =>
      atomically(async () => {
        await notifications.resolve(userId);
        await addresses.forget(userId);
      }),
  };
}

export type FollowUsers = ReturnType<typeof followUsers>;
