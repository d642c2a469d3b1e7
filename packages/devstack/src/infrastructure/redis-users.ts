import type { ServiceDescription } from "../services/workspace.ts";
import type { Part } from "./part.ts";
import { keptPasswords } from "./passwords.ts";

/**
 * Gives every service a Redis user that may register its own gRPC services and find all others. Passwords are made once and kept in
 * `file`. Returns the URLs by service. Only a Redis that the stack itself runs is told: it keeps its users in its data folder, so that
 * they outlive its end. One that is there already has users that its operator makes, and one in a container would forget them.
 */
export async function createServiceRedisUsers(
  redis: Part,
  services: readonly ServiceDescription[],
  file: string,
): Promise<Readonly<Record<string, string>>> {
  const isOwn = redis.source === "path" || redis.source === "apt";
  if (!isOwn) return Object.fromEntries(services.map(({ name }) => [name, redis.url]));
  // Beside those of the databases, whose roles have the same names.
  const kept = (user: string) => `redis ${user}`;
  const passwords = keptPasswords(
    file,
    services.map(({ user }) => kept(user)),
  );
  const users = services.map(({ name, user, registers }) => {
    return { service: name, name: user, password: passwords[kept(user)] as string, registers };
  });
  const { createRegistryUsers } = await import("@weft/registry/redis");
  await createRegistryUsers(redis.url, users);
  return Object.fromEntries(
    users.map(({ service, name, password }) => {
      const url = new URL(redis.url);
      url.username = name;
      url.password = password;
      return [service, url.href];
    }),
  );
}
