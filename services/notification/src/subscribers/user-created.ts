import { UserCreated } from "@shop/contracts/user";
import { type Subscription, subscribe } from "@weft/events";
import type { FollowUsers } from "../app/follow-users.ts";

export function onUserCreated(users: FollowUsers): Subscription {
  return subscribe(UserCreated, async ({ userId, email, name }, { id, occurredAt }) => {
    await users.created({ id, userId, occurredAt }, { email, name });
  });
}
