import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { createWorkspace, shop } from "../workspace.fixture.ts";
import { consequenceOf, usersOfGenerated } from "./affected.ts";
import { readServices } from "./workspace.ts";

const { root } = createWorkspace(shop);
const services = readServices(root);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("a changed file", () => {
  it.each([
    ["services/order/src/app/create-order.ts", ["order"]],
    ["packages/money/src/index.ts", ["order"]],
    ["packages/store/src/index.ts", ["order", "user"]],
    ["services/order/src/app/create-order.test.ts", []],
    ["packages/store/src/gen/store_pb.ts", []],
    ["packages/store/README.md", []],
    ["packages/other/src/index.ts", []],
  ])("%s restarts %j", (file, restart) => {
    expect(consequenceOf([file], services)).toEqual({ generate: false, restart });
  });

  it("of a contract or of the generator generates first", () => {
    expect(consequenceOf(["proto/shop/order/v1/order_service.proto"], services)).toEqual({
      generate: true,
      restart: [],
    });
    expect(consequenceOf(["packages/codegen/src/emit.ts"], services).generate).toBe(true);
  });

  it("of a contract then restarts whoever needs the generated package", () => {
    expect(usersOfGenerated(["packages/money/src/gen"], services)).toEqual(["order"]);
  });

  it("restarts a service once, however many of its files changed", () => {
    const files = ["services/user/src/main.ts", "services/user/src/app/a.ts", "packages/store/src/index.ts"];
    expect(consequenceOf(files, services).restart).toEqual(["order", "user"]);
  });
});

describe("the workspace", () => {
  it("gives a database to the services that depend on the store", () => {
    expect(services.map(({ name, database }) => [name, database])).toEqual([
      ["order", "shop_order"],
      ["user", "shop_user"],
    ]);
  });
});
