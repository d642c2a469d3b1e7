import type { ConnectionOptions } from "@nats-io/transport-node";

type Servers = Pick<ConnectionOptions, "servers" | "user" | "pass" | "token" | "tls">;

/**
 * The nodes of a NATS_URL, and the credentials that the first of them with any has: `nats://user:password@host` or
 * `nats://token@host`. They are those of all nodes, since the client learns of others that no URL names. With `tls://` a server
 * that offers no TLS is refused; with `nats://` TLS is used where the server offers it.
 */
export function parseServers(urls: string): Servers {
  const nodes = urls.split(",").map((url) => new URL(url));
  const { username, password } = nodes.find((node) => node.username !== "" || node.password !== "") ?? {};
  const servers = {
    servers: nodes.map((node) => `${node.protocol}//${node.host}`),
    ...(nodes.some((node) => node.protocol === "tls:") && { tls: {} }),
  };
  if (!username) return servers;
  const user = decodeURIComponent(username);
  return password ? { ...servers, user, pass: decodeURIComponent(password) } : { ...servers, token: user };
}
