import { describe, expect, it } from "vitest";
import { type CarrySteps, carryBatches } from "./carry.ts";
import type { OutboxRow } from "./outbox-table.ts";

const row = (position: number): OutboxRow => ({
  position: String(position),
  id: `id-${position}`,
  stream: "S",
  subject: "s.v1.Thing",
  key: `k${position}`,
  keySeq: "1",
  headers: {},
  data: Buffer.alloc(0),
});

/** An outbox of so many rows that is read two at a time, and what was done with it. */
function outbox(count: number, changes: Partial<CarrySteps> = {}) {
  const log: string[] = [];
  const waiting = new Set(Array.from({ length: count }, (_, i) => i + 1));
  const steps: CarrySteps = {
    async read(onTheirWay) {
      const away = new Set(onTheirWay.map(({ position }) => Number(position)));
      const positions = [...waiting].filter((position) => !away.has(position)).slice(0, 2);
      log.push(`read ${positions.join(" ")}`);
      return { rows: positions.map(row), lost: false };
    },
    async send(rows) {
      log.push(`send ${rows.map(({ position }) => position).join(" ")}`);
      await new Promise((resolve) => setImmediate(resolve));
      const published = rows.map(({ position }) => ({ position, streamSequence: BigInt(position) }));
      return { published, progressed: new Set(), refused: new Map(), stopped: undefined };
    },
    async mark(published) {
      for (const { position } of published) waiting.delete(Number(position));
      log.push(`mark ${published.map(({ position }) => position).join(" ")}`);
    },
    ...changes,
  };
  return { steps, log, waiting };
}

describe("carryBatches", () => {
  it("reads the next batch while one is on its way, and marks every batch", async () => {
    const { steps, log, waiting } = outbox(5);
    expect(await carryBatches(steps)).toEqual({ published: 5, more: true });
    expect(waiting.size).toBe(0);
    expect(log.slice(0, 4)).toEqual(["read 1 2", "send 1 2", "read 3 4", "mark 1 2"]);
  });

  it("does not mark what was on its way when a stream was found to have lost something", async () => {
    const { steps, log, waiting } = outbox(4);
    let reads = 0;
    const read: CarrySteps["read"] = async (away) => ({ ...(await steps.read(away)), lost: ++reads === 2 });
    expect(await carryBatches({ ...steps, read })).toEqual({ published: 0, more: true });
    expect(log).not.toContain("mark 1 2");
    expect(waiting.size).toBe(4);
  });

  it("stops at a refused event, so that what follows it is read anew without its key", async () => {
    const { steps, waiting } = outbox(4);
    const send: CarrySteps["send"] = async ([first]) => ({
      published: first ? [{ position: first.position, streamSequence: 1n }] : [],
      progressed: new Set(),
      refused: new Map([["S k2", new Error("too large")]]),
      stopped: undefined,
    });
    expect(await carryBatches({ ...steps, send })).toEqual({ published: 1, more: true });
    expect([...waiting]).toEqual([2, 3, 4]);
  });

  it("marks what has left before the broker went away, and says so", async () => {
    const { steps, waiting } = outbox(2);
    const away = new Error("away");
    const send: CarrySteps["send"] = async () => ({
      published: [{ position: "1", streamSequence: 1n }],
      progressed: new Set(),
      refused: new Map(),
      stopped: away,
    });
    await expect(carryBatches({ ...steps, send })).rejects.toBe(away);
    expect([...waiting]).toEqual([2]);
  });
});
