import type { ServiceDescription } from "./workspace.ts";

/** What has to be done about changed files. */
export interface Consequence {
  /** Contracts or the generator changed: generate first, then restart those who need what was generated. */
  readonly generate: boolean;
  /** Names of the services whose code changed, directly or through a package. */
  readonly restart: readonly string[];
}

/** Files are relative to the root, with forward slashes. Tests and generated files change nothing that runs. */
export function consequenceOf(files: readonly string[], services: readonly ServiceDescription[]): Consequence {
  let generate = false;
  const changed = new Set<string>();
  for (const file of files) {
    if (file.startsWith("proto/")) generate ||= /\.(proto|yaml)$/.test(file);
    else if (isRunningCode(file)) {
      changed.add(file.split("/").slice(0, 2).join("/"));
      generate ||= file.startsWith("packages/codegen/");
    }
  }
  const restart = services.filter(({ needs }) => [...changed].some((folder) => needs.has(folder)));
  return { generate, restart: restart.map(({ name }) => name) };
}

/** The services that need one of the folders that `buf generate` writes to. */
export function usersOfGenerated(
  folders: readonly string[],
  services: readonly ServiceDescription[],
): readonly string[] {
  const packages = folders.map((folder) => folder.split("/").slice(0, 2).join("/"));
  return services.filter(({ needs }) => packages.some((folder) => needs.has(folder))).map(({ name }) => name);
}

function isRunningCode(file: string): boolean {
  const [, , third] = file.split("/");
  if (third !== "src" && third !== "bin") return false;
  if (file.includes("/src/gen/") || /\.test\.[cm]?tsx?$/.test(file)) return false;
  return /\.([cm]?[jt]sx?|json|sql|ya?ml)$/.test(file);
}
