import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { adapters, importTable, layerTable } from "./import-table.ts";

const repository = resolve(import.meta.dirname, "../..");
let copy: string;

/** A repository of three packages and a service that pass; each test breaks one thing of it and runs `npm run lint:imports`. */
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), "weft-lint-"));
  cpSync(join(repository, "tools"), join(copy, "tools"), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(copy, "node_modules"));
  write("package.json", {
    type: "module",
    workspaces: ["packages/*", "services/*"],
    scripts: { "lint:imports": "node tools/lint/imports.ts" },
  });
  addPackage("packages/contracts", "@weft/contracts", []);
  addPackage("packages/context", "@weft/context", ["@weft/contracts"]);
  addPackage("packages/registry", "@weft/registry", ["@weft/contracts"]);
  addPackage("services/user", "@shop/user", ["@weft/service", "@weft/store"]);
  write("packages/context/src/index.ts", 'import { a } from "@weft/contracts";\nexport const b = a;\n');
  write("services/user/src/domain/user.ts", "export interface User { id: string }\n");
  write(
    "services/user/src/app/create-user.ts",
    'import type { User } from "../domain/user.ts";\nexport type Users = User[];\n',
  );
  write(
    "services/user/src/store/users.ts",
    'import type { Users } from "../app/create-user.ts";\nexport const users: Users = [];\n',
  );
  write("services/user/src/rpc/user-service.ts", 'import "../app/create-user.ts";\nimport "@weft/service";\n');
  write("services/user/src/main.ts", 'import "./rpc/user-service.ts";\nimport "./store/users.ts";\n');
});

afterEach(() => rmSync(copy, { recursive: true, force: true }));

test("a repository that keeps the table passes", () => {
  expect(lint()).toEqual({ status: 0, findings: [] });
});

test("a package outside the row is refused", () => {
  write("packages/registry/src/index.ts", 'import { now } from "@weft/context";\nexport const at = now;\n');
  expect(lint()).toEqual({
    status: 1,
    findings: ["packages/registry/src/index.ts:1: @weft/registry may not import @weft/context"],
  });
});

test.each([
  ["import type", 'import type { A } from "@weft/context";'],
  ["import() of a type", 'export type A = import("@weft/context").A;'],
  ["a dynamic import", 'export const a = await import("@weft/context");'],
  ["a re-export", 'export * from "@weft/context";'],
  ["a re-export of a type", 'export type { A } from "@weft/context/deep";'],
  ["require", 'const a = require("@weft/context");'],
])("a forbidden package is refused in the form of %s", (_form, text) => {
  write("packages/registry/src/index.ts", `${text}\n`);
  expect(lint()).toMatchObject({ status: 1, findings: [expect.stringContaining("may not import @weft/context")] });
});

test("a forbidden dependency is refused in package.json, before anything imports it", () => {
  addPackage("packages/registry", "@weft/registry", ["@weft/context"]);
  expect(lint()).toEqual({
    status: 1,
    findings: ["packages/registry/package.json: @weft/registry may not have @weft/context among its dependencies"],
  });
});

test("a package without a row is refused", () => {
  addPackage("packages/extra", "@weft/extra", []);
  expect(lint()).toMatchObject({ status: 1, findings: [expect.stringContaining("@weft/extra has no row")] });
});

test("a service may not import another service, by name or by path", () => {
  addPackage("services/order", "@shop/order", []);
  write("services/user/src/peers/order.ts", 'import "@shop/order";\nimport "../../../order/src/main.ts";\n');
  write("services/order/src/main.ts", "export {};\n");
  expect(lint()).toEqual({
    status: 1,
    findings: [
      "services/user/src/peers/order.ts:1: @shop/user may not import @shop/order",
      "services/user/src/peers/order.ts:2: ../../../order/src/main.ts leaves the package: import the other package by its name",
    ],
  });
});

test("an adapter is chosen in service alone", () => {
  addPackage("packages/testkit", "@weft/testkit", ["@weft/registry"]);
  write("packages/testkit/src/index.ts", 'import "@weft/registry/redis";\n');
  expect(lint()).toEqual({
    status: 1,
    findings: ["packages/testkit/src/index.ts:1: @weft/registry/redis is chosen in @weft/service alone"],
  });
});

test("testkit is for tests alone", () => {
  write("services/user/src/app/create-user.test.ts", 'import "@weft/testkit";\n');
  write("services/user/src/app/delete-user.ts", 'import "@weft/testkit";\n');
  expect(lint()).toEqual({
    status: 1,
    findings: ["services/user/src/app/delete-user.ts:1: @shop/user may import @weft/testkit in tests alone"],
  });
});

test("generated contracts name types of testkit and load nothing of it", () => {
  addPackage("packages/shop-contracts", "@shop/contracts", ["@weft/testkit"]);
  write("packages/shop-contracts/src/a.ts", 'import type { Stub } from "@weft/testkit";\nexport type A = Stub;\n');
  write("packages/shop-contracts/src/b.ts", 'import { type Stub } from "@weft/testkit";\nexport type B = Stub;\n');
  expect(lint()).toMatchObject({
    status: 1,
    findings: [expect.stringContaining("packages/shop-contracts/src/b.ts:1: ")],
  });
});

test.each([
  ["app/create-user.ts", 'import "../rpc/user-service.ts";', "app may not import rpc"],
  ["domain/user.ts", 'import type { Users } from "../app/create-user.ts";', "domain may not import app"],
  ["domain/user.ts", 'import "@weft/store";', "domain is pure: it may not import @weft/store"],
  ["domain/user.ts", 'import { readFile } from "node:fs";', "domain is pure: it may not import node:fs"],
  ["rpc/user-service.ts", 'import type { X } from "../store/users.ts";', "rpc may not import store"],
  [
    "store/users.ts",
    'import { create } from "../app/create-user.ts";',
    "store may import the ports of app alone: use import type",
  ],
  ["settings.ts", 'import "./domain/user.ts";', "a file beside main.ts may not import domain"],
  ["rpc/user-service.ts", 'import "../main.ts";', "nobody imports main.ts"],
  ["helpers/text.ts", 'import "../domain/user.ts";', "src/helpers is no layer of a service"],
])("layers: %s with %s is refused", (file, text, message) => {
  write(`services/user/src/${file}`, `${text}\n`);
  expect(lint().findings).toEqual(
    expect.arrayContaining([expect.stringContaining(`services/user/src/${file}:1: ${message}`)]),
  );
});

test("a cycle is refused and shown whole", () => {
  write("packages/contracts/src/a.ts", 'import "./b.ts";\n');
  write("packages/contracts/src/b.ts", 'import "./c.ts";\n');
  write("packages/contracts/src/c.ts", 'import "./a.ts";\n');
  expect(lint()).toEqual({
    status: 1,
    findings: [
      "packages/contracts/src/a.ts: import cycle: packages/contracts/src/a.ts → packages/contracts/src/b.ts → packages/contracts/src/c.ts → packages/contracts/src/a.ts",
    ],
  });
});

test.each([
  ["import type", 'import type { B } from "./b.ts";\nexport type A = B;'],
  ["import()", 'export type A = import("./b.ts").B;'],
])("a cycle of types alone is refused: %s", (_form, text) => {
  write("packages/contracts/src/a.ts", `${text}\n`);
  write("packages/contracts/src/b.ts", 'import type { A } from "./a.ts";\nexport type B = A | 1;\n');
  expect(lint()).toMatchObject({ status: 1, findings: [expect.stringContaining("import cycle")] });
});

test("the table itself has no cycle, so that packages can't have one", () => {
  const visiting: string[] = [];
  const visit = (name: string): void => {
    expect(visiting, "packages on the way").not.toContain(name);
    visiting.push(name);
    const rule = importTable[name];
    for (const next of [...(rule?.imports ?? []), ...(rule?.types ?? []), ...(rule?.tests ?? [])]) visit(next);
    visiting.pop();
  };
  for (const name of Object.keys(importTable)) visit(name);
  for (const name of [...Object.values(adapters).flat(), ...Object.keys(layerTable)])
    expect(importTable).toHaveProperty([name]);
});

test("npm run lint runs this check, and CI runs npm run lint", async () => {
  const { scripts } = await import(join(repository, "package.json"), { with: { type: "json" } }).then((m) => m.default);
  expect(scripts["lint:imports"]).toBe("node tools/lint/imports.ts");
  expect(scripts.lint).toContain("lint:imports");
});

function addPackage(folder: string, name: string, dependencies: readonly string[]): void {
  write(`${folder}/package.json`, { name, dependencies: Object.fromEntries(dependencies.map((one) => [one, "*"])) });
}

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(copy, path)), { recursive: true });
  writeFileSync(join(copy, path), typeof content === "string" ? content : JSON.stringify(content));
}

function lint(): { status: number | null; findings: readonly string[] } {
  const { status, stderr } = spawnSync("npm", ["run", "--silent", "lint:imports"], { cwd: copy, encoding: "utf8" });
  return { status, findings: stderr.split("\n").filter((line) => line !== "" && !line.startsWith("npm ")) };
}
