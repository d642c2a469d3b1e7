import { createHash } from "node:crypto";
import { RegistryUnavailableError } from "../errors.ts";
import { parseRedisUrl } from "./address.ts";
import { describeAddress, openConnection } from "./connection.ts";
import { channelOf, keysOf, servicesKey } from "./keys.ts";
import { beatScript, indexScript, readScript, releaseScript, servicesScript } from "./scripts.ts";

/** A Redis user of one process, or of all instances of one service. */
export interface RegistryUser {
  readonly name: string;
  readonly password: string;
  /**
   * What it may register: full names of services, or all of a package and the packages in it, such as `shop.order.*`. None: it finds
   * others, and registers nothing.
   */
  readonly registers: readonly string[];
}

const userName = /^[A-Za-z0-9._-]{1,128}$/;
const pattern = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*(\.\*)?$/;

const reading = ["evalsha_ro", "eval_ro", ...readScript.commands, ...servicesScript.commands];
const writing = [
  // The last of a service that leaves takes it out of the index.
  ...["evalsha", "eval", "zrem"],
  ...[beatScript, releaseScript, indexScript].flatMap(({ commands }) => commands),
];
// What a connection needs by itself.
const connecting = [
  ...["hello", "auth", "info", "ping", "select", "client|setname", "unsubscribe"],
  ...["cluster|slots", "cluster|shards", "cluster|info", "readonly", "readwrite", "asking"],
];

/**
 * The rules of ACL SETUSER (Redis 7) for a user of the registry: it reads all services and hears of all changes; it writes the keys of
 * the services that it may register, publishes their changes, and keeps them in the shared index. Nothing else in Redis is open to it, not even
 * to look at. Begins with `reset`, so that a user that exists has these rights and no others. The password is in it as a hash.
 * Throws RangeError for a name, a password or a service that can't be one.
 */
export function aclRules({ name, password, registers }: RegistryUser): readonly string[] {
  if (!userName.test(name)) throw new RangeError(`a user's name is 1 to 128 letters, digits or any of . _ -: ${name}`);
  if (password === "") throw new RangeError(`the user ${name} has no password`);
  const wrong = registers.find((service) => !pattern.test(service));
  if (wrong !== undefined) throw new RangeError(`"${wrong}" is neither the full name of a service nor package.*`);
  const commands = new Set([...connecting, ...reading, ...(registers.length > 0 ? writing : [])]);
  return [
    ...["reset", "on", `#${createHash("sha256").update(password).digest("hex")}`],
    ...["-@all", ...[...commands].map((command) => `+${command}`)],
    // Redis tells reading from writing, for keys alone: hearing of changes has to be a selector, since who publishes may not everywhere.
    ...["%R~weft:*", "resetchannels", "(+subscribe &weft:*)"],
    ...(registers.length > 0 ? [`~${servicesKey}`] : []),
    ...registers.flatMap((service) => [`~${keysOf(service)[0].replace(/leases$/, "*")}`, `&${channelOf(service)}`]),
  ];
}

/**
 * Makes the users, or gives those that exist these rights and passwords; keeps them in the server's `aclfile`, if it has one. The URL is an
 * administrator's. With a Cluster each of its nodes is told. Replicas of a master are not: behind Sentinels each server has
 * to be told by its own URL. Throws RangeError for what can't be a user or for Sentinels; rejects with RegistryUnavailableError.
 */
export async function createRegistryUsers(url: string, users: readonly RegistryUser[]): Promise<void> {
  const rules = users.map((user) => [user.name, ...aclRules(user)]);
  if (parseRedisUrl(url).kind === "sentinel")
    throw new RangeError("behind Sentinels every server has users of its own: name each by its own redis:// URL");
  const connection = openConnection({
    ...{ url, name: "weft-admin", commandTimeoutMs: 5_000, maxRetryDelayMs: 1_000, waits: true },
  });
  connection.on("error", () => {});
  try {
    // A Cluster's nodes are known once it has answered.
    await connection.ping();
    const servers = "nodes" in connection ? connection.nodes("all") : [connection];
    for (const server of servers) {
      for (const rule of rules) await server.call("ACL", "SETUSER", ...rule);
      await server.call("ACL", "SAVE").catch(ignoreNoFile);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new RegistryUnavailableError(`${describeAddress(url)} did not make the users: ${reason}`);
  } finally {
    connection.disconnect();
  }
}

/** A server without an `aclfile` forgets its users when it ends, as its administrator has chosen. */
function ignoreNoFile(error: unknown): void {
  if (!(error instanceof Error && error.message.includes("not configured to use an ACL file"))) throw error;
}
