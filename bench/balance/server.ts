import { setTimeout } from "node:timers/promises";
import { listen } from "@weft/rpc";
import { UserService } from "../rpc/gen/weft/bench/v1/user_service_pb.ts";
import { findUser } from "../rpc/users.ts";

export interface ServerOrder {
  /** By how much each answer is late from now on. */
  readonly lateByMs?: number;
}

// A server's process: says where it listens, and to each order, how many calls it has had.
let calls = 0;
let lateByMs = 0;
const { port } = await listen({
  host: "127.0.0.1",
  port: 0,
  routes: (router) =>
    router.service(UserService, {
      async getUser({ userId }) {
        calls += 1;
        if (lateByMs > 0) await setTimeout(lateByMs);
        const user = findUser(userId);
        return { ...user, createdAtMillis: BigInt(user.createdAtMillis) };
      },
    }),
});
process.on("disconnect", () => process.exit(0));
process.on("message", (order: ServerOrder) => {
  lateByMs = order.lateByMs ?? lateByMs;
  process.send?.(calls);
});
process.send?.(port);
