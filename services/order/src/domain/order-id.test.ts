import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderIdOf } from "./order-id.ts";

const user = fc.uuid();
const key = fc.string({ minLength: 1, maxLength: 255 });

describe("the id of an order", () => {
  it("is a UUID of version 8", () => {
    fc.assert(
      fc.property(user, key, (userId, k) => {
        expect(orderIdOf(userId, k)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  it("is the same for the same user and key", () => {
    fc.assert(
      fc.property(user, key, (userId, k) => {
        const [first, second] = [orderIdOf(userId, k), orderIdOf(userId, k)];
        expect(second).toBe(first);
      }),
    );
  });

  it("is another for another user or key, wherever one ends and the other begins", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (userA, keyA, userB, keyB) => {
        fc.pre(userA !== userB || keyA !== keyB);
        expect(orderIdOf(userA, keyA)).not.toBe(orderIdOf(userB, keyB));
      }),
    );
    expect(orderIdOf("ab", "c")).not.toBe(orderIdOf("a", "bc"));
  });

  it("stays what it was: a changed derivation would make a second order of a retry", () => {
    expect(orderIdOf("8c5cbb4e-3b3f-4f7e-9d38-1f2d3c4b5a69", "key-1")).toMatchInlineSnapshot(
      `"b89772a5-9ee3-83c3-8664-390ddc4ab916"`,
    );
  });
});
