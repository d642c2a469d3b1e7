import { UserDeleted } from "@shop/contracts/user";
import { type Subscription, subscribe } from "@weft/events";
import type { FollowUsers } from "../app/follow-users.ts";

export function onUserDeleted(users: FollowUsers): Subscription {
  return subscribe(UserDeleted, async ({ userId }) => users.deleted({ userId }));
}
