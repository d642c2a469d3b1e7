/** Where Redis is: a server, the nodes of a Cluster, or whichever server Sentinels say is the master. */
export type RedisAddress =
  | {
      readonly kind: "server";
      readonly url: string;
      readonly username: string | undefined;
      readonly description: string;
    }
  | {
      readonly kind: "cluster";
      /** Some of its nodes: one that answers is enough, it knows the others. */
      readonly nodes: readonly HostAndPort[];
      readonly tls: boolean;
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly description: string;
    }
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly HostAndPort[];
      /** The master's name, as the Sentinels monitor it. */
      readonly master: string;
      readonly tls: boolean;
      readonly db: number;
      /** Of the master and its replicas. */
      readonly username: string | undefined;
      readonly password: string | undefined;
      readonly sentinelUsername: string | undefined;
      readonly sentinelPassword: string | undefined;
      readonly description: string;
    };

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The URL is none that leads to a Redis; the message says what to change, and never the password. */
export class InvalidRedisUrlError extends Error {
  override readonly name = "InvalidRedisUrlError";
}

const sentinelForm = "redis+sentinel://[user:password@]host[:26379][,host[:26379]…]/master-name[?db=0]";
const sentinelUrl = /^(rediss?)\+sentinel:\/\/(?:([^@/]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;
const sentinelOptions = ["db", "sentinelUsername", "sentinelPassword"];
const sentinelPort = 26_379;
const clusterForm = "redis+cluster://[user:password@]host[:6379][,host[:6379]…]";
const clusterUrl = /^(rediss?)\+cluster:\/\/(?:([^@/]*)@)?([^@/?#]*)\/?$/;
const clusterPort = 6379;

/**
 * Reads `redis://`, `redis+cluster://` with some nodes of a Cluster, or `redis+sentinel://` with a list of Sentinels and the name
 * of the master that they watch; `rediss` for TLS with all of them. Sentinels' own credentials are options:
 * `?sentinelPassword=…`. Throws InvalidRedisUrlError.
 */
export function parseRedisUrl(url: string): RedisAddress {
  if (/^rediss?\+sentinel:/.test(url)) return parseSentinelUrl(url);
  if (/^rediss?\+cluster:/.test(url)) return parseClusterUrl(url);
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new InvalidRedisUrlError(
      `a Redis URL is redis://host:6379, rediss://host:6379, ${clusterForm} or ${sentinelForm}`,
    );
  }
  const { host, username } = new URL(url);
  return { kind: "server", url, username: decode(username) || undefined, description: `Redis at ${host}` };
}

function parseClusterUrl(url: string): RedisAddress {
  const [, scheme, credentials = "", hosts = ""] = clusterUrl.exec(url) ?? [];
  if (scheme === undefined) {
    throw new InvalidRedisUrlError(`a URL of a Redis Cluster is ${clusterForm}; a Cluster has no databases`);
  }
  return {
    kind: "cluster",
    nodes: hosts.split(",").map((host) => parseHost(host, "node of a Cluster", clusterPort)),
    tls: scheme === "rediss",
    ...parseCredentials(credentials),
    description: `Redis Cluster at ${hosts}`,
  };
}

function parseSentinelUrl(url: string): RedisAddress {
  const [, scheme, credentials = "", hosts = "", master = "", query = ""] = sentinelUrl.exec(url) ?? [];
  if (scheme === undefined) throw new InvalidRedisUrlError(`a URL of Redis with Sentinels is ${sentinelForm}`);
  if (master === "") {
    throw new InvalidRedisUrlError(`the master's name is missing after the Sentinels: ${sentinelForm}`);
  }
  const options = new URLSearchParams(query.replaceAll("+", "%2B"));
  const unknown = [...options.keys()].find((name) => !sentinelOptions.includes(name));
  if (unknown !== undefined)
    throw new InvalidRedisUrlError(`there is no option ${unknown}: ${sentinelOptions.join(", ")} are`);
  const db = options.get("db") ?? "0";
  if (!/^\d+$/.test(db)) throw new InvalidRedisUrlError("the option db is the number of a database");
  return {
    kind: "sentinel",
    sentinels: hosts.split(",").map((host) => parseHost(host, "Sentinel", sentinelPort)),
    master: decode(master),
    tls: scheme === "rediss",
    db: Number(db),
    ...parseCredentials(credentials),
    sentinelUsername: options.get("sentinelUsername") ?? undefined,
    sentinelPassword: options.get("sentinelPassword") ?? undefined,
    description: `Redis ${decode(master)} of the Sentinels at ${hosts}`,
  };
}

function parseCredentials(text: string): {
  readonly username: string | undefined;
  readonly password: string | undefined;
} {
  const colon = text.indexOf(":");
  const [username, password] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  return { username: decode(username) || undefined, password: decode(password) || undefined };
}

function parseHost(text: string, what: string, defaultPort: number): HostAndPort {
  const url = text === "" || !URL.canParse(`redis://${text}`) ? undefined : new URL(`redis://${text}`);
  if (!url?.hostname) throw new InvalidRedisUrlError(`a ${what} is host or host:port, not "${text}"`);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || defaultPort };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidRedisUrlError("a % in a name or password is written as %25");
  }
}
