import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  consumerState,
  dropDeadLetter,
  inspectDeadLetter,
  listDeadLetters,
  NoSuchConsumer,
  NoSuchDeadLetter,
  pauseConsumer,
  replayDeadLetter,
  replayDeadLetters,
  replayStream,
  resumeConsumer,
} from "../operations/index.ts";
import { Unprocessable } from "../subscribe.ts";
import { type BrokerHarness, createWorld, type World } from "./world.ts";

const patience = { timeout: 15_000, interval: 20 };

/** What operators can do, and what still holds when they do. */
export function describeOperations(setUp: () => Promise<BrokerHarness>): void {
  describe("operations", () => {
    let world: World;
    /** What the handler refuses. */
    let broken: Set<string>;
    beforeEach(async () => {
      world = await createWorld(await setUp());
      broken = new Set();
    });
    afterEach(() => world.close());

    const texts = async (): Promise<string[]> => (await world.effects()).map(({ text }) => text);
    const letters = () => listDeadLetters(world.broker, { service: world.service });
    const consumer = () => ({ service: world.service, stream: world.type.stream });
    const refuse = async ({ root }: { readonly root?: unknown }): Promise<void> => {
      if (broken.has(String(root))) throw new Unprocessable(`${root} is not understood`);
    };

    it("list and show a dead letter, and send it back once its handler is mended, for one effect", async () => {
      broken.add("poison");
      world.startRelay();
      for (const replica of ["a", "b"]) world.startSubscriber(replica, refuse);
      const { id } = await world.publish("k", "poison");
      await world.publish("k", "next");
      await expect.poll(texts, patience).toEqual(["next"]);
      const [letter, ...others] = await letters();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        service: world.service,
        subject: world.type.subject,
        eventId: id,
        key: "k",
        reason: "unprocessable",
        error: "Unprocessable: poison is not understood",
        attempts: 1,
        source: world.service,
        stream: world.type.stream,
      });
      const sequence = letter?.sequence ?? 0n;
      expect(await inspectDeadLetter(world.broker, sequence)).toMatchObject({
        eventId: id,
        data: expect.any(Uint8Array),
      });
      broken.clear();
      await Promise.all([1, 2, 3].map(() => replayDeadLetter(world.broker, sequence)));
      await expect.poll(letters, patience).toEqual([]);
      await expect.poll(texts, patience).toEqual(["next", "poison"]);
      await expect(replayDeadLetter(world.broker, sequence)).rejects.toBeInstanceOf(NoSuchDeadLetter);
      await world.publish("k", "last");
      await expect.poll(texts, patience).toEqual(["next", "poison", "last"]);
    });

    it("leave a dead letter where it is when its event fails again", async () => {
      let runs = 0;
      world.startRelay();
      world.startSubscriber("a", async ({ root }) => {
        if (root !== "poison") return;
        runs += 1;
        throw new Error("still broken");
      });
      await world.publish("k", "poison");
      await expect.poll(letters, patience).toHaveLength(1);
      const before = await letters();
      await replayDeadLetter(world.broker, before[0]?.sequence ?? 0n);
      await expect.poll(() => runs, patience).toBe(8);
      await world.publish("k", "next");
      await expect.poll(texts, patience).toEqual(["next"]);
      expect(await letters()).toEqual(before);
    });

    it("let a parked key go on when the last of its dead letters was sent back, in their order", async () => {
      broken.add("2");
      world.startRelay();
      world.startSubscriber("a", refuse, { subscription: { afterDeadLetter: "park" } });
      for (const text of ["1", "2", "3", "4"]) await world.publish("k", text);
      await world.publish("other", "free");
      await expect.poll(letters, patience).toHaveLength(3);
      broken.clear();
      expect(await replayDeadLetters(world.broker, { service: world.service })).toBe(3);
      await expect.poll(letters, patience).toEqual([]);
      await world.publish("k", "5");
      const ofKey = async () => (await world.effects()).filter(({ key }) => key === "k").map(({ text }) => text);
      await expect.poll(ofKey, patience).toEqual(["1", "2", "3", "4", "5"]);
    });

    it("drop a dead letter", async () => {
      broken.add("poison");
      world.startRelay();
      world.startSubscriber("a", refuse);
      await world.publish("k", "poison");
      await expect.poll(letters, patience).toHaveLength(1);
      const sequence = (await letters())[0]?.sequence ?? 0n;
      await dropDeadLetter(world.broker, sequence);
      expect(await letters()).toEqual([]);
      await expect(dropDeadLetter(world.broker, sequence)).rejects.toBeInstanceOf(NoSuchDeadLetter);
      await expect(inspectDeadLetter(world.broker, sequence)).rejects.toThrow("replayed or dropped");
    });

    it("pause a consumer over all its instances, also those that start meanwhile, and resume it", async () => {
      world.startRelay();
      world.startSubscriber("a");
      await world.publish("k", "1");
      await expect.poll(texts, patience).toEqual(["1"]);
      await pauseConsumer(world.broker, consumer());
      await expect.poll(async () => (await consumerState(world.broker, consumer())).paused, patience).toBe(true);
      // An instance may be given what was asked for just before.
      await expect
        .poll(async () => {
          await world.publish("probe", "probe");
          return (await consumerState(world.broker, consumer())).pending;
        }, patience)
        .toBeGreaterThan(0);
      world.startSubscriber("b");
      await world.publish("k", "2");
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await texts()).not.toContain("2");
      await resumeConsumer(world.broker, consumer());
      await expect.poll(texts, patience).toContain("2");
      await expect.poll(async () => (await consumerState(world.broker, consumer())).pending, patience).toBe(0);
    });

    it("give a stream again: nothing to an inbox that remembers, all of it to one that was put back, in order", async () => {
      world.startRelay();
      world.startSubscriber("a");
      const keys = ["x", "y", "z"];
      for (let n = 1; n <= 10; n++) for (const key of keys) await world.publish(key, `${n}`);
      await expect.poll(async () => (await texts()).length, patience).toBe(30);
      const settled = async (): Promise<void> => {
        await world.publish("end", "end");
        await expect.poll(async () => (await texts()).filter((text) => text === "end").length, patience).toBe(++ends);
        const state = { pending: 0, unanswered: 0, paused: false };
        await expect.poll(() => consumerState(world.broker, consumer()), patience).toEqual(state);
      };
      let ends = 0;
      await replayStream(world.broker, consumer(), 1n);
      await settled();
      expect(await texts()).toHaveLength(30 + ends);
      await replayStream(world.broker, consumer(), new Date(0));
      await settled();
      expect(await texts()).toHaveLength(30 + ends);
      await pauseConsumer(world.broker, consumer());
      await sql`delete from effect where seq > 4 and key <> 'end'`.execute(world.store.db);
      await sql`
        delete from weft.inbox where event_id not in (select event_id from effect)`.execute(world.store.db);
      await sql`update weft.inbox_positions set last_seq = 4 where key <> 'end'`.execute(world.store.db);
      await replayStream(world.broker, consumer(), 1n);
      await resumeConsumer(world.broker, consumer());
      await settled();
      for (const key of keys) {
        const order = (await world.effects()).filter((effect) => effect.key === key).map(({ seq }) => seq);
        expect(order).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }
    });

    it("name the consumer that there is not", async () => {
      const nobody = { service: "nobody", stream: world.type.stream };
      for (const operation of [consumerState, pauseConsumer]) {
        await expect(operation(world.broker, nobody)).rejects.toBeInstanceOf(NoSuchConsumer);
      }
      await expect(replayStream(world.broker, nobody, 1n)).rejects.toThrow("nobody has never consumed");
    });
  });
}
