import { answers } from "../process/ports.ts";
import type { Part } from "./part.ts";

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  "nats:": 4222,
  "redis:": 6379,
  "rediss:": 6379,
  "redis+cluster:": 6379,
  "rediss+cluster:": 6379,
  "redis+sentinel:": 26379,
  "rediss+sentinel:": 26379,
  "postgres:": 5432,
  "postgresql:": 5432,
  "smtp:": 25,
  "smtps:": 465,
  "http:": 80,
  "https:": 443,
};

/** A server that an environment variable names. Rejects, naming the variable, when nothing answers there. */
export async function given(name: string, variable: string, url: string): Promise<Part> {
  // A cluster's variable lists several servers, as do Sentinels: one that answers is enough.
  const reachable = await Promise.all(serversOf(url).map((server) => isReachable(variable, server)));
  if (!reachable.includes(true)) {
    throw new Error(
      `${variable} names ${withoutPassword(url)}, but nothing answers there. Start it, or unset ${variable}.`,
    );
  }
  const refuse = async () => {
    throw new Error(`${name} was given by ${variable}; it is not this stack's to start or stop.`);
  };
  return {
    name,
    source: "environment",
    url,
    pid: undefined,
    ready: Promise.resolve(),
    start: refuse,
    kill: refuse,
    async stop() {},
  };
}

/** A list of URLs, or one URL with a list of hosts. */
function serversOf(url: string): readonly string[] {
  const [scheme = ""] = /^[\w+]+:\/\//.exec(url) ?? [];
  return url
    .split(",")
    .map((server) => server.trim())
    .map((server) => (server.includes("://") ? server : `${scheme}${server}`));
}

function isReachable(variable: string, url: string): Promise<boolean> {
  if (!URL.canParse(url)) throw new Error(`${variable} is not a URL: ${withoutPassword(url)}`);
  const { hostname, port, protocol } = new URL(url);
  return answers(hostname.replace(/^\[|\]$/g, "") || "127.0.0.1", Number(port) || (DEFAULT_PORTS[protocol] ?? 0));
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/g, "//…@").replace(/(password=)[^&]*/gi, "$1…");
}
