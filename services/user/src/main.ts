import { randomUUID } from "node:crypto";
import { runService } from "@weft/service";
import { serveUsers } from "./rpc/user-service.ts";
import { settings } from "./settings.ts";
import { migrations, type UserDatabase } from "./store/schema.ts";
import { createUserRepository } from "./store/user-repository.ts";

await runService<UserDatabase, typeof settings>({
  name: "user",
  settings,
  migrations,
  setup({ store }) {
    const users = createUserRepository(store);
    return { services: [serveUsers({ users, newId: randomUUID, now: () => new Date() })] };
  },
});
