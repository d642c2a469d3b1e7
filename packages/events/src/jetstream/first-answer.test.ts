import { TimeoutError } from "@nats-io/transport-node";
import { expect, it, vi } from "vitest";
import { firstAnswer } from "./first-answer.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const often = { everyMs: 20, times: 10 };

/** A request of NATS's: answered if there is a leader when it is asked; else it times out after a while. */
function questionTo(stream: { leader: boolean }, timeoutMs: number) {
  return vi.fn(async () => {
    if (stream.leader) return "answer";
    await pause(timeoutMs);
    throw new TimeoutError();
  });
}

it("a question that is answered is asked once", async () => {
  const question = questionTo({ leader: true }, 0);
  expect(await firstAnswer(question, often)).toBe("answer");
  await pause(3 * often.everyMs);
  expect(question).toHaveBeenCalledTimes(1);
});

it("a leader that comes is heard of before the questions time out that met none", async () => {
  const stream = { leader: false };
  const question = questionTo(stream, 60_000);
  const answer = firstAnswer(question, often);
  await expect.poll(() => question.mock.calls.length, { interval: 5 }).toBeGreaterThan(2);
  stream.leader = true;
  expect(await answer).toBe("answer");
});

it("a question that timed out is asked again", async () => {
  const stream = { leader: false };
  const question = questionTo(stream, 1);
  const answer = firstAnswer(question, often);
  await expect.poll(() => question.mock.calls.length, { interval: 5 }).toBeGreaterThan(2);
  stream.leader = true;
  expect(await answer).toBe("answer");
});

it("an error is an answer", async () => {
  const question = vi.fn().mockRejectedValue(new Error("no such stream"));
  await expect(firstAnswer(question, often)).rejects.toThrow("no such stream");
  await pause(3 * often.everyMs);
  expect(question).toHaveBeenCalledTimes(1);
});

it("nobody waits for ever", async () => {
  await expect(firstAnswer(questionTo({ leader: false }, 1), often)).rejects.toBeInstanceOf(TimeoutError);
});
