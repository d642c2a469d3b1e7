import { type Stack, type StackOptions, startStack } from "@weft/devstack";
import { type Shop, shopOf } from "../../shop.ts";
import type { Ground } from "../runner/row.ts";

export interface OpenShop {
  readonly stack: Stack;
  /** The shop where it is now: a gateway that starts again has another address. */
  now(): Shop;
}

/** Opens a shop of the row's own on servers of its own, with data of its own; closed at the end. Nothing is restarted by itself. */
export async function openShop(ground: Ground, options: Partial<StackOptions> = {}): Promise<OpenShop> {
  const stack = await startStack({
    root: ground.root,
    dataDir: ground.folder(),
    ports: "free",
    restart: false,
    onLine: ground.onLine,
    ...options,
    env: {
      ...process.env,
      LOG_LEVEL: "warn",
      RESERVATION_TTL_MS: "30000",
      ...options.env,
      // Never those of the shell: the row kills them.
      ...{ NATS_URL: "", REDIS_URL: "", DATABASE_URL: "", SMTP_URL: "", PAYMENT_PROVIDER_URL: "" },
    },
  });
  ground.atEnd(() => stack.close());
  return { stack, now: () => shopOf({ env: stack.env, services: recordOf(stack) }) };
}

function recordOf(stack: Stack): Parameters<typeof shopOf>[0]["services"] {
  return Object.fromEntries(
    stack.services.map(({ name, pid, state, addresses, databaseUrl }) => [
      name,
      { pid, state, addresses, databaseUrl },
    ]),
  );
}
