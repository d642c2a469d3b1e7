import { create } from "@bufbuild/protobuf";
import { MixinSchema } from "@bufbuild/protobuf/wkt";
import { type CallContext, currentCall, remainingMs, systemClock } from "@weft/context";
import { describe, expect, it } from "vitest";
import { type Delivery, subscribe } from "../subscribe.ts";
import type { IncomingEvent } from "./incoming-event.ts";
import { runHandler } from "./run-handler.ts";

const type = { schema: MixinSchema, subject: "shop.v1.Thing", stream: "SHOP_V1", key: "name" };
const event = {
  id: "0197c9a2-0000-7000-8000-000000000001",
  subject: type.subject,
  key: "k",
  keySeq: 7n,
  correlationId: "correlation",
  source: "order",
  occurredAt: new Date(0),
} as IncomingEvent;

function run(
  handler: (delivery: Delivery) => Promise<void>,
  { attempt = 1, handlerTimeoutMs = 5_000, closing = new AbortController().signal } = {},
): Promise<void> {
  const subscription = subscribe(type, (_, delivery) => handler(delivery));
  return runHandler(
    { handlerTimeoutMs, clock: systemClock, closing },
    subscription,
    event,
    attempt,
    create(MixinSchema),
  );
}

describe("a handler", () => {
  it("runs as a call of the publisher, with the handler's time left and the event's id as key at each run", async () => {
    const calls: (CallContext | undefined)[] = [];
    const note = async (): Promise<void> => void calls.push(currentCall());
    await run(note);
    await run(note, { attempt: 2 });
    for (const call of calls) {
      expect(call).toMatchObject({ idempotencyKey: event.id, caller: "order", correlationId: "correlation" });
      expect(remainingMs(call)).toBeGreaterThan(4_000);
      expect(remainingMs(call)).toBeLessThanOrEqual(5_000);
    }
    expect(calls).toHaveLength(2);
  });

  it("that listens to nobody is given up when its time is over, and its calls are cancelled", async () => {
    let signal: AbortSignal | undefined;
    const deaf = run(
      async () => {
        signal = currentCall()?.signal;
        await new Promise(() => {});
      },
      { handlerTimeoutMs: 10 },
    );
    await expect(deaf).rejects.toThrow("the handler of shop.v1.Thing took longer than 10 ms");
    expect(signal?.aborted).toBe(true);
  });

  it("ends when the subscriber no longer waits, and does not begin after that", async () => {
    const closing = new AbortController();
    const waiting = run(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      {
        closing: closing.signal,
      },
    );
    closing.abort(new Error("closed"));
    await expect(waiting).rejects.toThrow("closed");
    await expect(run(() => expect.unreachable("it began"), { closing: closing.signal })).rejects.toThrow("closed");
  });
});
