import { describe, expect, it } from "vitest";
import { BrokerUnavailable } from "../broker.ts";
import type { OutboxRow } from "./outbox-table.ts";
import { createSender } from "./sender.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

let positions = 0;
const row = (key: string): OutboxRow => {
  const position = String(++positions);
  return {
    ...{ position, id: position, stream: "S", subject: "s.v1.Thing", key },
    ...{ keySeq: "1", headers: "{}", data: Buffer.alloc(0) },
  };
};

/** A broker that answers when it is told to. */
function broker(window: number, signal = new AbortController().signal) {
  const given: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<bigint>>();
  const send = createSender({
    ...{ window, signal },
    send({ key, position }) {
      given.push(key);
      const answer = Promise.withResolvers<bigint>();
      answers.set(position, answer);
      return answer.promise;
    },
  });
  const take = async ({ position }: OutboxRow): Promise<void> => {
    answers.get(position)?.resolve(BigInt(position));
    await settled();
  };
  const fail = async ({ position }: OutboxRow, error: Error): Promise<void> => {
    answers.get(position)?.reject(error);
    await settled();
  };
  return { given, send, take, fail };
}

const left = (rows: readonly { readonly position: string }[]) => rows.map(({ position }) => position);

describe("the sender", () => {
  it("has one event of a key on its way, and no more than the window over all", async () => {
    const { given, send, take } = broker(2);
    const [a1, a2, b, c] = [row("a"), row("a"), row("b"), row("c")];
    const { result } = send([a1, a2, b, c]);
    await settled();
    expect(given).toEqual(["a", "b"]);
    await take(b);
    expect(given).toEqual(["a", "b", "c"]);
    await take(a1);
    expect(given).toEqual(["a", "b", "c", "a"]);
    await take(c);
    await take(a2);
    expect(left((await result).published)).toEqual(left([b, a1, c, a2]));
  });

  it("begins with a batch while the former one's last events are on their way, but not with their keys", async () => {
    const { given, send, take } = broker(4);
    const [a1, b1, a2, c] = [row("a"), row("b"), row("a"), row("c")];
    const former = send([a1, b1]);
    await former.begun;
    const latter = send([a2, c]);
    await settled();
    expect(given).toEqual(["a", "b", "c"]);
    await take(a1);
    expect(given).toEqual(["a", "b", "c", "a"]);
    for (const each of [b1, a2, c]) await take(each);
    expect(left((await former.result).published)).toEqual(left([a1, b1]));
    expect(left((await latter.result).published)).toEqual(left([a2, c]));
  });

  it("lets nothing of a key pass that the broker has refused, in later batches neither", async () => {
    const { given, send, take, fail } = broker(4);
    const [a1, b1, a2, b2, a3] = [row("a"), row("b"), row("a"), row("b"), row("a")];
    const former = send([a1, b1, a2]);
    const latter = send([b2, a3]);
    const tooLarge = new Error("too large");
    await fail(a1, tooLarge);
    await take(b1);
    await take(b2);
    expect(given).toEqual(["a", "b", "b"]);
    const { published, refused, progressed } = await former.result;
    expect([left(published), [...refused], [...progressed]]).toEqual([left([b1]), [["S a", tooLarge]], ["S b"]]);
    expect(left((await latter.result).published)).toEqual(left([b2]));
    const last = send([row("a")]);
    expect((await last.result).published).toEqual([]);
    expect(given).toEqual(["a", "b", "b"]);
  });

  it("sends nothing more once the broker is away, and says why", async () => {
    const { given, send, take, fail } = broker(2);
    const [a, b, c, d] = [row("a"), row("b"), row("c"), row("d")];
    const former = send([a, b, c]);
    const latter = send([d]);
    const away = new BrokerUnavailable("away");
    await fail(a, away);
    await take(b);
    expect(given).toEqual(["a", "b"]);
    const [{ published, stopped }, next] = await Promise.all([former.result, latter.result]);
    expect([left(published), stopped]).toEqual([left([b]), away]);
    expect([next.published, next.stopped]).toEqual([[], away]);
  });

  it("sends nothing more once it is told to stop", async () => {
    const stopping = new AbortController();
    const { given, send, take } = broker(1, stopping.signal);
    const [a, b] = [row("a"), row("b")];
    const { result } = send([a, b]);
    stopping.abort(new Error("closing"));
    await take(a);
    expect(given).toEqual(["a"]);
    expect((await result).stopped).toEqual(new Error("closing"));
  });
});
