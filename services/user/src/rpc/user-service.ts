import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  CreateUserResponseSchema,
  type UserSchema,
  UserService,
  UserStatus,
  userServicePolicies,
} from "@shop/contracts/user";
import { creationPageTokens, invalidField, type ServedService, serve, storeResponse } from "@weft/service";
import { createUser } from "../app/create-user.ts";
import { deleteUser } from "../app/delete-user.ts";
import { findUserByEmail, getUser } from "../app/find-user.ts";
import { listUsers } from "../app/list-users.ts";
import { updateUser } from "../app/update-user.ts";
import type { Users } from "../app/users.ts";
import type { User, UserChanges } from "../domain/user.ts";
import { answering } from "./status.ts";

export interface UserServiceParts {
  readonly users: Users;
  readonly newId: () => string;
  readonly now: () => Date;
}

export function serveUsers({ users, newId, now }: UserServiceParts): ServedService {
  const create = createUser(users, newId, now);
  const update = updateUser(users, now);
  const remove = deleteUser(users, now);
  const get = getUser(users);
  const find = findUserByEmail(users);
  const list = listUsers(users);

  const implementation: ServiceImpl<typeof UserService> = {
    createUser: ({ email, name }) =>
      answering(() => storeResponse(CreateUserResponseSchema, asUser, () => create({ email, name }))),
    getUser: ({ userId }) => answering(async () => asUser(await get(userId))),
    findUserByEmail: ({ email }) => answering(async () => asUser(await find(email))),
    updateUser: ({ user, updateMask }) =>
      answering(async () => asUser(await update(user?.id ?? "", changesOf(user, updateMask?.paths)))),
    deleteUser: ({ userId }) => answering(async () => asUser(await remove(userId))),
    listUsers: ({ pageSize, pageToken }) =>
      answering(async () => {
        const page = await list(creationPageTokens.cursorOf(pageToken), pageSize || 20);
        return { users: page.users.map(toMessage), nextPageToken: creationPageTokens.tokenOf(page.next) };
      }),
    async *generateUserReport({ includeDeleted }) {
      let row = 0n;
      for await (const user of users.all(includeDeleted)) {
        row += 1n;
        yield { user: toMessage(user), row };
      }
    },
  };
  return serve(UserService, userServicePolicies, implementation);
}

/** The fields that the mask names; without a mask all that can change, and so none of them may be missing. */
function changesOf(user: { email: string; name: string } | undefined, paths: string[] | undefined): UserChanges {
  const named = paths?.length ? new Set(paths) : new Set(["email", "name"]);
  const changes = {
    ...(named.has("email") ? { email: user?.email ?? "" } : {}),
    ...(named.has("name") ? { name: user?.name ?? "" } : {}),
  };
  const missing = Object.entries(changes).find(([, value]) => value === "");
  if (missing) throw invalidField(`user.${missing[0]}`, "value is required");
  return changes;
}

function asUser(user: User): { user: MessageInitShape<typeof UserSchema> } {
  return { user: toMessage(user) };
}

function toMessage(user: User): MessageInitShape<typeof UserSchema> {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    status: user.status === "active" ? UserStatus.ACTIVE : UserStatus.DELETED,
    createdAt: timestampFromDate(user.createdAt),
    updatedAt: timestampFromDate(user.updatedAt),
  };
}
