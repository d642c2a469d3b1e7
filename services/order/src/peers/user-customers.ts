import { timestampDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { createUserClient, UserStatus } from "@shop/contracts/user";
import type { Mesh } from "@weft/service";
import type { Customers } from "../app/customers.ts";
import { peerError } from "./peer-error.ts";

/** The user service's accounts. */
export function createUserCustomers(mesh: Mesh): Customers {
  const client = createUserClient(mesh);
  return {
    async find(userId) {
      try {
        const { user } = await client.getUser({ userId });
        if (!user) throw new Error(`the user service answered without the user ${userId}`);
        const { id, email, name, status, createdAt, updatedAt } = user;
        return {
          id,
          email,
          name,
          status: status === UserStatus.DELETED ? "deleted" : "active",
          createdAt: createdAt && timestampDate(createdAt),
          updatedAt: updatedAt && timestampDate(updatedAt),
        };
      } catch (error) {
        if (error instanceof ConnectError && error.code === Code.NotFound) return undefined;
        throw peerError("user", error);
      }
    },
  };
}
