import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ground, Source } from "./part.ts";
import { type Program, waitForGreeting } from "./program.ts";

/** A server that isn't ours and that several ways lead to. */
export interface ServerKind {
  readonly name: "nats" | "redis";
  readonly title: string;
  readonly variable: string;
  readonly program: string;
  readonly debianPackage: string;
  readonly containerPort: number;
  readonly preferredPort: number;
  readonly url: (port: number) => string;
  readonly waitUntilServing: (port: number, signal: AbortSignal) => Promise<void>;
  readonly launch: (path: string, port: number, ground: Ground) => { command: string; args: readonly string[] };
}

export const nats: ServerKind = {
  name: "nats",
  title: "NATS",
  variable: "NATS_URL",
  program: "nats-server",
  debianPackage: "nats-server",
  containerPort: 4222,
  preferredPort: 24222,
  url: (port) => `nats://127.0.0.1:${port}`,
  // It listens only after JetStream has recovered its files.
  waitUntilServing: (port, signal) => waitForGreeting(port, "", "INFO ", signal),
  launch: (path, port, { dataDir }) => ({
    command: path,
    args: ["-a", "127.0.0.1", "-p", `${port}`, "-n", "weft", "-js", "-sd", folder(dataDir, "nats")],
  }),
};

export const redis: ServerKind = {
  name: "redis",
  title: "Redis",
  variable: "REDIS_URL",
  program: "redis-server",
  debianPackage: "redis-server",
  containerPort: 6379,
  preferredPort: 26379,
  url: (port) => `redis://127.0.0.1:${port}`,
  waitUntilServing: (port, signal) => waitForGreeting(port, "PING\r\n", "+PONG", signal),
  // Nothing but its users is persisted: it holds leases, which heartbeats write anew and which would be lies after a restart.
  launch: (path, port, { dataDir }) => ({
    command: path,
    args: [
      ...["--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder(dataDir, "redis")],
      ...["--save", "", "--appendonly", "no", "--daemonize", "no", "--aclfile", usersFile(folder(dataDir, "redis"))],
    ],
  }),
};

export function serverProgram(kind: ServerKind, path: string, source: Source, ground: Ground): Program {
  return {
    name: kind.name,
    source,
    preferredPort: kind.preferredPort,
    url: kind.url,
    launch: (port) => ({ ...kind.launch(path, port, ground), orphan: "SIGTERM" }),
    serves: (port, _child, signal) => kind.waitUntilServing(port, signal),
  };
}

/** Redis doesn't start without the file that it is told of; the default user is everybody's who is on this machine. */
function usersFile(folder: string): string {
  const file = join(folder, "users.acl");
  if (!existsSync(file)) writeFileSync(file, "user default on nopass ~* &* +@all\n", { mode: 0o600 });
  return file;
}

/** The data folder of a server, made if need be. */
export function folder(dataDir: string, name: string): string {
  const path = join(dataDir, name);
  mkdirSync(path, { recursive: true });
  return path;
}
