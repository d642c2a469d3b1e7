import { findProgram } from "../process/programs.ts";
import { type Apt, apt } from "./apt.ts";
import { composeAvailable, startContainer } from "./compose.ts";
import { given } from "./given.ts";
import type { Ground, Part, Source } from "./part.ts";
import { startProgram } from "./program.ts";
import { type ServerKind, serverProgram } from "./servers.ts";

/** Where a server can be had, in the order in which it is looked for. */
export type Way =
  | { readonly kind: "environment"; readonly url: string }
  | { readonly kind: "path"; readonly program: string }
  | { readonly kind: "compose" }
  | { readonly kind: "apt" };

/** Neither the environment nor this machine has the server. The message names the three ways to get it. */
export class ServerMissingError extends Error {
  override readonly name = "ServerMissingError";
  constructor(kind: ServerKind) {
    super(
      `${kind.title} is not here. Three ways to get it:\n` +
        `  1. install the program ${kind.program} (Debian, Ubuntu: apt-get install ${kind.debianPackage}; macOS: brew install ${kind.name === "redis" ? "redis" : kind.program})\n` +
        `  2. start Docker: its Compose then runs ${kind.title} from docker-compose.yml\n` +
        `  3. set ${kind.variable} to a server that runs, such as ${kind.url(kind.containerPort)}`,
    );
  }
}

/** Looks only; nothing is installed or started. */
export async function findWay(kind: ServerKind, ground: Ground, packages: Apt = apt): Promise<Way> {
  const url = ground.env[kind.variable];
  if (url !== undefined && url !== "") return { kind: "environment", url };
  const program = findProgram(kind.program, ground.env);
  if (program !== undefined) return { kind: "path", program };
  if (findProgram("docker", ground.env) && (await composeAvailable(ground.root, ground.run)))
    return { kind: "compose" };
  if (packages.available(ground.env)) return { kind: "apt" };
  throw new ServerMissingError(kind);
}

/** Starts the server in the first way that is open, and says which it is. */
export async function startServer(kind: ServerKind, ground: Ground, packages: Apt = apt): Promise<Part> {
  const way = await findWay(kind, ground, packages);
  switch (way.kind) {
    case "environment":
      ground.say(`${kind.title}: from the environment (${kind.variable})`);
      return given(kind.name, kind.variable, way.url);
    case "path":
      ground.say(`${kind.title}: ${way.program}`);
      return startProgram(ground, serverProgram(kind, way.program, "path", ground));
    case "compose":
      ground.say(`${kind.title}: Docker Compose`);
      return startContainer(kind, ground);
    case "apt":
      return startProgram(ground, serverProgram(kind, await install(kind, ground, packages), "apt", ground));
  }
}

/** The program of a server that is to run several times; rejects where the first way that is open is no program. */
export async function findProgramOf(
  kind: ServerKind,
  ground: Ground,
  packages: Apt = apt,
): Promise<{ readonly program: string; readonly source: Source }> {
  const way = await findWay(kind, ground, packages);
  switch (way.kind) {
    case "environment":
      throw new Error(
        `${kind.variable} names a server that is there already: unset it for a cluster of the stack's own.`,
      );
    case "compose":
      throw new Error(`A cluster of ${kind.title} needs the program ${kind.program}; Docker Compose runs one server.`);
    case "path":
      return { program: way.program, source: "path" };
    case "apt":
      return { program: await install(kind, ground, packages), source: "apt" };
  }
}

async function install(kind: ServerKind, ground: Ground, packages: Apt): Promise<string> {
  ground.say(`${kind.title}: not found; installing the package ${kind.debianPackage} with apt-get`);
  await packages.install([kind.debianPackage], ground.env, ground.run);
  const program = findProgram(kind.program, ground.env);
  if (program === undefined) throw new Error(`${kind.debianPackage} was installed, but there is no ${kind.program}.`);
  return program;
}
