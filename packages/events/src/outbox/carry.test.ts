import { describe, expect, it } from "vitest";
import { type CarrySteps, carryBatches } from "./carry.ts";
import type { OutboxRow } from "./outbox-table.ts";
import type { BatchResult, Sending } from "./sender.ts";

const row = (position: number): OutboxRow => ({
  position: String(position),
  id: `id-${position}`,
  stream: "S",
  subject: "s.v1.Thing",
  key: `k${position}`,
  keySeq: "1",
  headers: "{}",
  data: Buffer.alloc(0),
});

const leaving = (result: Partial<BatchResult>): Sending => ({
  begun: Promise.resolve(),
  result: new Promise((resolve) =>
    setImmediate(() =>
      resolve({ published: [], progressed: new Set(), refused: new Map(), stopped: undefined, ...result }),
    ),
  ),
});
const published = (...positions: readonly number[]) =>
  positions.map((position) => ({ ...row(position), streamSequence: BigInt(position) }));

/** An outbox of so many rows that is read two at a time, and what was done with it. */
function outbox(count: number) {
  const log: string[] = [];
  const waiting = new Set(Array.from({ length: count }, (_, i) => i + 1));
  const steps: CarrySteps = {
    async read(onTheirWay) {
      const away = new Set(onTheirWay.map(({ position }) => Number(position)));
      const positions = [...waiting].filter((position) => !away.has(position)).slice(0, 2);
      log.push(`read ${positions.join(" ")}`);
      return positions.map(row);
    },
    async look(rows) {
      log.push(`look ${rows.map(({ position }) => position).join(" ")}`);
      return false;
    },
    send(rows) {
      const positions = rows.map(({ position }) => Number(position));
      log.push(`send ${positions.join(" ")}`);
      return leaving({ published: published(...positions) });
    },
    async mark(published) {
      for (const { position } of published) waiting.delete(Number(position));
      log.push(`mark ${published.map(({ position }) => position).join(" ")}`);
    },
  };
  return { steps, log, waiting };
}

describe("carryBatches", () => {
  it("reads the next batch and begins with it while one is on its way, and marks every batch", async () => {
    const { steps, log, waiting } = outbox(5);
    expect(await carryBatches(steps)).toBe(false);
    expect(waiting.size).toBe(0);
    expect(log).toEqual([
      ...["read 1 2", "look 1 2", "send 1 2", "read 3 4", "look 3 4", "send 3 4", "read 5", "mark 1 2"],
      ...["look 5", "send 5", "read ", "mark 3 4", "look ", "mark 5"],
    ]);
  });

  it("does not mark what was on its way when a stream was found to have lost something", async () => {
    const { steps, log, waiting } = outbox(6);
    let looks = 0;
    expect(await carryBatches({ ...steps, look: async () => ++looks === 3 })).toBe(true);
    expect(log.filter((line) => line.startsWith("mark"))).toEqual(["mark 1 2"]);
    expect([...waiting]).toEqual([3, 4, 5, 6]);
  });

  it("stops at a refused event, so that what follows it is read anew without its key", async () => {
    const { steps, log, waiting } = outbox(6);
    const send: CarrySteps["send"] = (rows) => {
      const [first, second] = rows.map(({ position }) => Number(position)) as [number, number];
      if (second !== 2) return steps.send(rows);
      return leaving({ published: published(first), refused: new Map([["S k2", new Error("too large")]]) });
    };
    expect(await carryBatches({ ...steps, send })).toBe(true);
    expect([...waiting]).toEqual([2, 5, 6]);
    expect(log.filter((line) => line.startsWith("look"))).toEqual(["look 1 2", "look 3 4"]);
  });

  it("marks what has left before the broker went away, and says so", async () => {
    const { steps, waiting } = outbox(4);
    const away = new Error("away");
    const send: CarrySteps["send"] = ([first]) =>
      leaving({ published: published(Number(first?.position)), stopped: away });
    await expect(carryBatches({ ...steps, send })).rejects.toBe(away);
    expect([...waiting]).toEqual([2, 4]);
  });

  it("waits for what is on its way before it gives up", async () => {
    const { steps, log } = outbox(4);
    const failed = new Error("no database");
    const slow = Promise.withResolvers<BatchResult>();
    const send: CarrySteps["send"] = (rows) => {
      const sending = steps.send(rows);
      return rows[0]?.position === "3" ? { ...sending, result: slow.promise } : sending;
    };
    const carrying = carryBatches({ ...steps, send, mark: () => Promise.reject(failed) });
    carrying.then(undefined, () => log.push("gave up"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    log.push("all has left");
    slow.resolve({ published: [], progressed: new Set(), refused: new Map(), stopped: undefined });
    await expect(carrying).rejects.toBe(failed);
    expect(log.slice(-2)).toEqual(["all has left", "gave up"]);
  });
});
