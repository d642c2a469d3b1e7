import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { importsOf } from "./imports-of.ts";

const root = resolve(import.meta.dirname, "../..");

/** The workspace that an import reaches: by its name, or by a path that leaves tools/ and deploy/. */
function workspaceOf(file: string, specifier: string): string | undefined {
  const byName = /^@(weft|shop)\/[^/]+/.exec(specifier)?.[0];
  if (byName !== undefined || !specifier.startsWith(".")) return byName;
  const [folder, name] = relative(root, resolve(dirname(file), specifier)).split("/");
  if (folder !== "packages" && folder !== "services") return undefined;
  return (JSON.parse(readFileSync(join(root, folder, name ?? "", "package.json"), "utf8")) as { name: string }).name;
}

test("the root's typecheck is out of date when a package that tools or deploy import is", () => {
  const { tasks } = JSON.parse(readFileSync(join(root, "turbo.json"), "utf8")) as {
    tasks: Record<string, { dependsOn?: string[] }>;
  };
  const files = globSync(["tools/**/*.ts", "deploy/**/*.ts", "vitest.config.ts"], { cwd: root }).map((file) =>
    join(root, file),
  );
  const imported = files.flatMap((file) =>
    importsOf(readFileSync(file, "utf8"), file).flatMap(({ specifier }) => workspaceOf(file, specifier) ?? []),
  );
  const needed = [...new Set(imported)].map((name) => `${name}#sources`);
  expect(needed).toContain("@shop/user#sources");
  expect(tasks["//#typecheck:root"]?.dependsOn).toEqual(expect.arrayContaining(needed));
});
