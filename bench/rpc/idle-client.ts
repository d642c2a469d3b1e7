import { createClient } from "@connectrpc/connect";
import { connect } from "@weft/rpc";
import { UserService } from "./gen/weft/bench/v1/user_service_pb.ts";
import { userIds } from "./users.ts";

// Opens so many connections with a call on each, keeps them, and ends with whoever started it.
const [, , server = "", count = "0"] = process.argv;
const { port } = JSON.parse(server) as { port: number };
process.on("disconnect", () => process.exit(0));
const call = async (): Promise<void> => {
  const client = createClient(UserService, connect({ host: "127.0.0.1", port }).transport);
  await client.getUser({ userId: userIds[0] as string });
};
for (let opened = 0; opened < Number(count); opened += 100) await Promise.all(Array.from({ length: 100 }, call));
process.send?.("ready");
