import { UserUpdated } from "@shop/contracts/user";
import { type Subscription, subscribe } from "@weft/events";
import type { FollowUsers } from "../app/follow-users.ts";

export function onUserUpdated(users: FollowUsers): Subscription {
  return subscribe(UserUpdated, async ({ userId, email, name }, { id, occurredAt }) => {
    await users.updated({ id, userId, occurredAt }, { email, name });
  });
}
