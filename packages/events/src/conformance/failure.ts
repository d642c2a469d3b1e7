import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deadLetterHeaders, decodeHeader, eventHeaders } from "../event-headers.ts";
import { unpark } from "../inbox/index.ts";
import { RetryLater, Unprocessable } from "../subscribe.ts";
import { type BrokerHarness, createWorld, type World } from "./world.ts";

const patience = { timeout: 15_000, interval: 20 };

/** What of the promise holds while handlers, processes and the broker fail. */
export function describeFailure(setUp: () => Promise<BrokerHarness>): void {
  describe("failure", () => {
    let world: World;
    beforeEach(async () => {
      world = await createWorld(await setUp());
    });
    afterEach(() => world.close());

    const texts = async (): Promise<string[]> => (await world.effects()).map(({ text }) => text);

    it("runs a handler that failed again, before the next event of its key and after those of others", async () => {
      let failures = 0;
      const attempts: number[] = [];
      world.startRelay();
      world.startSubscriber("a", async (event, { attempt }) => {
        if (event.root !== "bad") return;
        attempts.push(attempt);
        if (failures++ < 2) throw new Error("not yet");
      });
      await world.publish("k", "bad");
      await world.publish("k", "next");
      await world.publish("other", "free");
      await expect.poll(texts, patience).toEqual(["free", "bad", "next"]);
      expect(attempts).toEqual([1, 2, 3]);
    });

    it("makes exactly one dead letter of an event that never succeeds, and goes on", async () => {
      world.startRelay();
      for (const replica of ["a", "b"]) {
        world.startSubscriber(replica, async (event) => {
          if (event.root === "poison") throw new TypeError("can't swallow that\n    at stack (file.ts:1)");
        });
      }
      const { id } = await world.publish("k", "poison");
      await world.publish("k", "next");
      await world.publish("other", "free");
      await expect.poll(texts, patience).toEqual(["free", "next"]);
      await expect.poll(async () => (await world.deadLetters()).length, patience).toBe(1);
      const [letter] = await world.deadLetters();
      expect(letter?.headers).toMatchObject({
        [eventHeaders.id]: id,
        [eventHeaders.key]: "k",
        [deadLetterHeaders.reason]: "attempts",
        [deadLetterHeaders.attempts]: "4",
        [deadLetterHeaders.keySeq]: "1",
        [deadLetterHeaders.source]: expect.stringMatching(/^\/svc-/),
        [deadLetterHeaders.subject]: world.type.subject,
      });
      expect(decodeHeader(letter?.headers[deadLetterHeaders.error] ?? "")).toBe("TypeError: can't swallow that");
    });

    it("tells who of a batch failed: one dead letter, and everybody else has its effect", async () => {
      await world.store.transaction(async () => {
        for (let n = 0; n < 30; n++) await world.publish(`k${n % 10}`, n === 17 ? "poison" : String(n));
      });
      world.startRelay();
      world.startSubscriber(
        "a",
        async (event) => {
          if (event.root === "poison") throw new Error("no");
        },
        { subscription: { most: 30 }, concurrency: 2 },
      );
      await expect.poll(async () => (await texts()).length, patience).toBe(29);
      await expect.poll(async () => (await world.deadLetters()).length, patience).toBe(1);
      const ofKey = (await world.effects()).filter(({ key }) => key === "k7").map(({ seq }) => seq);
      expect(ofKey).toEqual([1, 3]);
    });

    it.for(["before-effect", "after-effect", "before-ack"] as const)(
      "has one effect when the subscriber dies in a batch %s",
      async (fault) => {
        const struck = new Set<string>();
        world.startRelay();
        await world.store.transaction(async () => {
          for (let n = 0; n < 30; n++) await world.publish(`k${n % 10}`, String(n));
        });
        world.startSubscriber("a", undefined, {
          subscription: { most: 10 },
          ackWaitMs: 300,
          faults(point, { id }) {
            if (point !== fault || struck.has(id)) return;
            struck.add(id);
            throw new Error("died here");
          },
        });
        await expect.poll(async () => (await texts()).length, patience).toBe(30);
        for (let k = 0; k < 10; k++) {
          const order = (await world.effects()).filter(({ key }) => key === `k${k}`).map(({ seq }) => seq);
          expect(order).toEqual([1, 2, 3]);
        }
      },
    );

    it("makes a dead letter also where key, headers and error have characters that PostgreSQL can't keep", async () => {
      world.startRelay();
      world.startSubscriber("a", async () => {
        throw new TypeError("bad byte \0 in the file");
      });
      await world.inject({ key: "k%00", keySeq: 1, text: "poison", headers: { "x-foreign": "a\0b" } });
      await expect.poll(async () => (await world.deadLetters()).length, patience).toBe(1);
      const [letter] = await world.deadLetters();
      expect(letter?.headers["x-foreign"]).toBe("ab");
      expect(decodeHeader(letter?.headers[deadLetterHeaders.error] ?? "")).toBe("TypeError: bad byte  in the file");
    });

    it("makes a dead letter at once of what is unprocessable, and parks the key where that was asked for", async () => {
      world.startRelay();
      world.startSubscriber(
        "a",
        async (event) => {
          if (event.root === "poison") throw new Unprocessable("no");
        },
        { subscription: { afterDeadLetter: "park" } },
      );
      await world.publish("k", "poison");
      await world.publish("k", "next");
      await world.publish("other", "free");
      await expect.poll(async () => (await world.deadLetters()).length, patience).toBe(2);
      expect((await world.deadLetters()).map(({ headers }) => headers[deadLetterHeaders.reason])).toEqual([
        "unprocessable",
        "parked",
      ]);
      expect(await texts()).toEqual(["free"]);
    });

    it("goes on with a key that was unparked", async () => {
      world.startRelay();
      world.startSubscriber(
        "a",
        async (event) => {
          if (event.root === "poison") throw new Unprocessable("no");
        },
        { service: "parking", subscription: { afterDeadLetter: "park" } },
      );
      const parked = async (): Promise<number> => {
        const { rows } = await sql`select from weft.inbox_positions where parked_by is not null`.execute(
          world.store.db,
        );
        return rows.length;
      };
      await world.publish("k", "poison");
      await expect.poll(parked, patience).toBe(1);
      const key = { service: "parking", stream: world.type.stream, key: "k" };
      expect(await unpark(world.store, key)).toBe(true);
      expect(await unpark(world.store, key)).toBe(false);
      await world.publish("k", "next");
      await expect.poll(texts, patience).toEqual(["next"]);
    });

    it("counts a run whose handler could not reach something other than the database", async () => {
      world.startRelay();
      world.startSubscriber("a", async (event) => {
        if (event.root !== "poison") return;
        throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
      });
      await world.publish("k", "poison");
      await world.publish("k", "next");
      await expect.poll(texts, patience).toEqual(["next"]);
    });

    it("does not count runs that ask to be tried later", async () => {
      let runs = 0;
      world.startRelay();
      world.startSubscriber("a", async () => {
        if (runs++ < 8) throw new RetryLater("the provider is away", { delayMs: 10 });
      });
      await world.publish("k", "patient");
      await expect.poll(texts, patience).toEqual(["patient"]);
      expect(await world.deadLetters()).toEqual([]);
    });

    it.for(["before-effect", "after-effect", "before-ack"] as const)(
      "has one effect when the subscriber dies %s",
      async (fault) => {
        const struck = new Set<string>();
        world.startRelay();
        world.startSubscriber("a", undefined, {
          ackWaitMs: 300,
          faults(point, { id }) {
            if (point !== fault || struck.has(id)) return;
            struck.add(id);
            throw new Error("died here");
          },
        });
        for (let n = 1; n <= 5; n++) await world.publish("k", String(n));
        await expect.poll(texts, patience).toEqual(["1", "2", "3", "4", "5"]);
        expect(struck.size).toBe(5);
      },
    );

    it("takes more events after as many went unanswered as it takes ahead", async () => {
      const struck = new Set<string>();
      world.startRelay();
      world.startSubscriber("a", undefined, {
        ackWaitMs: 300,
        concurrency: 1,
        faults(point, { id }) {
          if (point !== "before-ack" || struck.has(id)) return;
          struck.add(id);
          throw new Error("died here");
        },
      });
      const numbers = Array.from({ length: 20 }, (_, i) => String(i + 1));
      for (const n of numbers) await world.publish("k", n);
      await expect.poll(texts, patience).toEqual(numbers);
    });

    it.for(["before-publish", "after-publish"] as const)(
      "loses and doubles nothing when the relay dies %s",
      async (fault) => {
        const struck = new Set<string>();
        world.startRelay({
          faults(point, { id }) {
            if (point !== fault || struck.has(id)) return;
            struck.add(id);
            throw new Error("died here");
          },
        });
        world.startSubscriber("a");
        for (let n = 1; n <= 5; n++) await world.publish("k", String(n));
        await expect.poll(texts, patience).toEqual(["1", "2", "3", "4", "5"]);
        expect(struck.size).toBe(5);
      },
    );

    it("has one relay at a time, and another takes over", async () => {
      const first = world.startRelay();
      await expect.poll(() => first.leads(), patience).toBe(true);
      const second = world.startRelay();
      world.startSubscriber("a");
      await world.publish("k", "1");
      await expect.poll(texts, patience).toEqual(["1"]);
      expect([first.leads(), second.leads()]).toEqual([true, false]);
      await first.close();
      await world.publish("k", "2");
      await expect.poll(texts, patience).toEqual(["1", "2"]);
      expect(second.leads()).toBe(true);
    });

    it("keeps events while the broker is away and brings them when it is back", { timeout: 60_000 }, async () => {
      world.startRelay();
      world.startSubscriber("a", undefined, { ackWaitMs: 1_000 });
      const publishAll = async (from: number, to: number): Promise<void> => {
        for (let n = from; n <= to; n++) await Promise.all(["x", "y", "z"].map((key) => world.publish(key, String(n))));
      };
      await publishAll(1, 30);
      const meanwhile = publishAll(31, 60);
      await world.harness.interrupt();
      await meanwhile;
      await world.harness.restore();
      await publishAll(61, 70);
      await expect.poll(async () => (await world.effects()).length, { timeout: 30_000, interval: 50 }).toBe(210);
      for (const key of ["x", "y", "z"]) {
        const order = (await world.effects()).filter((effect) => effect.key === key).map(({ seq }) => seq);
        expect(order).toEqual(Array.from({ length: 70 }, (_, i) => i + 1));
      }
    });
  });
}
