import { currentCall } from "@weft/context";
import { currentTransaction } from "@weft/store";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publish } from "../publish.ts";
import { type BrokerHarness, createWorld, type ThingHandler, type World } from "./world.ts";

const patience = { timeout: 15_000, interval: 20 };

/** What of the promise holds while nothing fails. */
export function describeDelivery(setUp: () => Promise<BrokerHarness>): void {
  describe("delivery", () => {
    let world: World;
    beforeEach(async () => {
      world = await createWorld(await setUp());
    });
    afterEach(() => world.close());

    const texts = async (): Promise<string[]> => (await world.effects()).map(({ text }) => text);

    it("brings what was committed, as it was published, and nothing of what was rolled back", async () => {
      const seen: unknown[] = [];
      world.startRelay();
      world.startSubscriber("a", async (event, delivery) => {
        seen.push({ ...delivery, signal: undefined, call: currentCall()?.idempotencyKey, event: event.root });
      });
      const rolledBack = world.store.transaction(async () => {
        await world.publish("order 1/ü", "never");
        throw new Error("rolled back");
      });
      await expect(rolledBack).rejects.toThrow("rolled back");
      const { id, keySeq } = await world.publish("order 1/ü", "first");
      expect(keySeq).toBe(1n);
      await expect.poll(texts, patience).toEqual(["first"]);
      expect(seen).toEqual([
        expect.objectContaining({ id, key: "order 1/ü", keySeq: 1n, attempt: 1, call: id, event: "first" }),
      ]);
    });

    it("keeps the order of each key over many keys and two instances", async () => {
      world.startRelay();
      world.startSubscriber("a");
      world.startSubscriber("b");
      const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
      await Promise.all(
        keys.map(async (key) => {
          for (let n = 1; n <= 15; n++) await world.publish(key, String(n));
        }),
      );
      await expect.poll(async () => (await world.effects()).length, patience).toBe(300);
      const effects = await world.effects();
      for (const key of keys) {
        const order = effects.filter((effect) => effect.key === key).map(({ seq }) => seq);
        expect(order).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
      }
    });

    it("handles what waits in batches, in the order of each key, over two instances", { timeout: 60_000 }, async () => {
      const batches = new Map<string, number>();
      const note: ThingHandler = async () => {
        const { rows } = await sql<{ tx: string }>`select pg_current_xact_id()::text as tx`.execute(
          currentTransaction() ?? world.store.db,
        );
        const tx = rows[0]?.tx ?? "";
        batches.set(tx, (batches.get(tx) ?? 0) + 1);
      };
      const keys = Array.from({ length: 20 }, (_, i) => `key-${i}`);
      await world.store.transaction(async () => {
        for (let n = 1; n <= 15; n++) for (const key of keys) await world.publish(key, String(n));
      });
      world.startRelay();
      world.startSubscriber("a", note, { subscription: { most: 25 } });
      world.startSubscriber("b", note, { subscription: { most: 25 } });
      await expect.poll(async () => (await world.effects()).length, { ...patience, timeout: 45_000 }).toBe(300);
      for (const key of keys) {
        const order = (await world.effects()).filter((effect) => effect.key === key).map(({ seq }) => seq);
        expect(order).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
      }
      expect(Math.max(...batches.values())).toBeGreaterThan(1);
      expect(Math.max(...batches.values())).toBeLessThanOrEqual(25);
    });

    it("skips what has expired out of a batch", async () => {
      world.startRelay();
      await world.store.transaction(async () => {
        await world.publish("k", "too late", { expiresAt: new Date(Date.now() - 1_000) });
        for (const text of ["1", "2", "3"]) await world.publish("k", text);
      });
      world.startSubscriber("b", undefined, { subscription: { most: 10 } });
      await expect.poll(texts, patience).toEqual(["1", "2", "3"]);
    });

    it("waits for an event's predecessor", async () => {
      world.startSubscriber("a");
      await world.inject({ key: "k", keySeq: 1, text: "1" });
      await expect.poll(texts, patience).toEqual(["1"]);
      await world.inject({ key: "k", keySeq: 3, text: "3" });
      await world.inject({ key: "other", keySeq: 1, text: "other" });
      await world.inject({ key: "k", keySeq: 2, text: "2" });
      await expect.poll(async () => (await texts()).length, patience).toBe(4);
      expect((await texts()).filter((text) => text !== "other")).toEqual(["1", "2", "3"]);
    });

    it("does not wait for predecessors that the stream no longer has", async () => {
      await world.inject({ key: "k", keySeq: 5, text: "5" });
      await world.inject({ key: "k", keySeq: 6, text: "6" });
      world.startSubscriber("a");
      await expect.poll(texts, patience).toEqual(["5", "6"]);
    });

    it("gives an event one effect, however often it comes", async () => {
      world.startSubscriber("a");
      world.startSubscriber("b");
      const id = await world.inject({ key: "k", keySeq: 1, text: "once" });
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          world.inject({ key: "k", keySeq: 1, text: "once", id, messageId: `${id}-${i}` }),
        ),
      );
      await world.inject({ key: "k", keySeq: 2, text: "last" });
      await expect.poll(texts, patience).toEqual(["once", "last"]);
    });

    it("passes over types without a handler, and keeps the order across them", async () => {
      world.startRelay();
      world.startSubscriber("a");
      await world.store.transaction(async () => {
        await publish(world.type, { name: "k", root: "1" });
        await publish(world.otherType, { name: "k", root: "2" });
        await publish(world.type, { name: "k", root: "3" });
      });
      await expect.poll(texts, patience).toEqual(["1", "3"]);
    });

    it("begins now where that was asked for, and goes on from there after a restart", async () => {
      world.startRelay();
      const before = world.startSubscriber("a", undefined, { from: "now" });
      await world.publish("k", "1");
      await expect.poll(texts, patience).toEqual(["1"]);
      await before.close();
      await world.publish("k", "2");
      world.startSubscriber("b", undefined, { from: "now" });
      await expect.poll(texts, patience).toEqual(["1", "2"]);
    });

    it("leaves alone what was published before a consumer that begins now", async () => {
      world.startRelay();
      const all = world.startSubscriber("a");
      await world.publish("k", "1");
      await expect.poll(texts, patience).toEqual(["1"]);
      await all.close();
      world.startSubscriber("b", undefined, { from: "now", service: "newcomer" });
      // A consumer's start is a time: what was stored in the same instant may come.
      await expect
        .poll(async () => {
          await world.publish("other", "probe");
          return (await world.effects()).some(({ replica, key }) => replica === "b" && key === "other");
        }, patience)
        .toBe(true);
      await world.publish("k", "2");
      await expect
        .poll(
          async () => (await world.effects()).filter(({ key, replica }) => key === "k" && replica === "b"),
          patience,
        )
        .toEqual([expect.objectContaining({ text: "2" })]);
    });

    it("skips what has expired", async () => {
      world.startRelay();
      world.startSubscriber("a");
      await world.publish("k", "too late", { expiresAt: new Date(Date.now() - 1_000) });
      await world.publish("k", "in time", { expiresAt: new Date(Date.now() + 60_000) });
      await expect.poll(texts, patience).toEqual(["in time"]);
    });
  });
}
