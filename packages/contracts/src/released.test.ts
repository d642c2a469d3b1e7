import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, getOption, hasOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { event } from "./index.ts";
import { copyContracts, type Workspace } from "./testing/workspace.ts";

const released = "proto/released.binpb";
const orderEvents = "proto/shop/order/v1/order_events.proto";

let contracts: Workspace;
beforeEach(() => {
  contracts = copyContracts();
});
afterEach(() => contracts.remove());

/** What `npm run lint` runs. */
function breaking() {
  return contracts.buf("breaking", "proto", "--exclude-imports", "--against", released);
}

describe("the contracts as they were released", () => {
  it("are kept by the contracts as they are", () => {
    expect(breaking()).toEqual({ code: 0, output: "" });
  });

  it("are broken when a field is removed", () => {
    contracts.edit(orderEvents, "  string payment_token = 5;\n", "");
    const { code, output } = breaking();
    expect(code).not.toBe(0);
    expect(output).toMatch(/order_events\.proto.*Previously present field "5" with name "payment_token"/);
  });

  it("are broken when an event's field changes its type", () => {
    contracts.edit(orderEvents, "string order_id = 1;", "int64 order_id = 1;");
    const { code, output } = breaking();
    expect(code).not.toBe(0);
    expect(output).toMatch(
      /Field "1" with name "order_id" on message "OrderCreated" changed type from "string" to "int64"/,
    );
  });

  it("are broken when a method is removed", () => {
    contracts.edit("proto/shop/notification/v1/notification_service.proto", "rpc ListNotifications(", "rpc ListMail(");
    const { code, output } = breaking();
    expect(code).not.toBe(0);
    expect(output).toMatch(/Previously present RPC "ListNotifications"/);
  });

  it("are kept when a field is added", () => {
    contracts.edit(orderEvents, "  string payment_token = 5;\n", "  string payment_token = 5;\n  string note = 90;\n");
    expect(breaking()).toEqual({ code: 0, output: "" });
  });
});

/** buf looks at no options, and a key that changes takes away the order that subscribers rely on. */
describe("the key of a released event", () => {
  it("is the key that it has", () => {
    expect(changedKeys()).toEqual([]);
  });

  it("is missed when it is another", () => {
    contracts.edit(orderEvents, '{key: "order_id"}', '{key: "user_id"}');
    expect(changedKeys()).toEqual(["shop.order.v1.OrderCreated: order_id → user_id"]);
  });

  it("is missed when the message is no event any more", () => {
    contracts.edit(orderEvents, '  option (weft.events.v1.event) = {key: "order_id"};\n', "");
    expect(changedKeys()).toEqual(["shop.order.v1.OrderCreated: order_id → none"]);
  });
});

function changedKeys(): string[] {
  contracts.buf("build", "proto", "-o", "now.binpb");
  const now = keysIn("now.binpb");
  return [...keysIn(released)]
    .filter(([subject, key]) => now.get(subject) !== key)
    .map(([subject, key]) => `${subject}: ${key} → ${now.get(subject) ?? "none"}`);
}

function keysIn(image: string): Map<string, string> {
  const files = fromBinary(FileDescriptorSetSchema, readFileSync(join(contracts.folder, image)));
  const messages = [...createFileRegistry(files)].filter((desc) => desc.kind === "message");
  return new Map(messages.filter((m) => hasOption(m, event)).map((m) => [m.typeName, getOption(m, event).key]));
}
