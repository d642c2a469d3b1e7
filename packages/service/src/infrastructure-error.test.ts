import { Code } from "@connectrpc/connect";
import { CommandTakenOver, openStore, type Store } from "@weft/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { infrastructureError } from "./infrastructure-error.ts";

let store: Store<unknown>;
beforeAll(() => {
  const limits = {
    maxConnections: 2,
    connectTimeoutMs: 200,
    statementTimeoutMs: 300,
    lockTimeoutMs: 100,
    maxAttempts: 2,
  };
  store = openStore({ url: process.env.DATABASE_URL ?? "", application: "infrastructure-error-test", ...limits });
});
afterAll(() => store.close());

/** What the caller of a service is answered whose handler did this. */
async function answerTo(handler: () => Promise<unknown>): Promise<string> {
  try {
    await handler();
  } catch (error) {
    const answer = infrastructureError(error);
    return answer ? `${Code[answer.code]}: ${answer.rawMessage}` : "internal error";
  }
  return expect.unreachable("it must fail");
}

const lock = 0x7e57;

describe("the caller of a service is told", () => {
  it("that the database is away", async () => {
    const away = openStore({ url: "postgres://weft@127.0.0.1:1/weft", application: "infrastructure-error-test" });
    expect(await answerTo(() => away.ping())).toBe("Unavailable: the service's database can't be reached: try again");
    await away.close();
  });

  it("that all connections are in use, in as long as one waits for one", async () => {
    const holders = await Promise.all([store.pool.connect(), store.pool.connect()]);
    expect(await answerTo(() => store.ping())).toBe(
      "Unavailable: the service's connections to its database are all in use: try again",
    );
    for (const holder of holders) holder.release();
    await store.ping();
  });

  it("that the database took too long", async () => {
    expect(await answerTo(() => store.pool.query("select pg_sleep(5)"))).toBe(
      "Unavailable: the service's database took too long: try again",
    );
  });

  it("that another one's lock isn't freed", async () => {
    const holder = await store.connect("holder");
    await holder.query("select pg_advisory_lock($1)", [lock]);
    expect(await answerTo(() => store.pool.query("select pg_advisory_lock($1)", [lock]))).toBe(
      "Aborted: another change of the same takes too long: try again",
    );
    await holder.end();
  });

  it("that its transaction lost against others each time", async () => {
    let runs = 0;
    const lose = () =>
      store.transaction(() => {
        runs += 1;
        return store.pool.query("do $$ begin raise serialization_failure; end $$");
      });
    expect(await answerTo(lose)).toBe("Aborted: other changes of the same were faster: try again");
    expect(runs).toBe(2);
  });

  it("that another run of its command was faster", async () => {
    const taken = async () => {
      throw new CommandTakenOver("taken over");
    };
    expect(await answerTo(taken)).toBe("Unavailable: another run of this command was faster: try again for its answer");
  });

  it("nothing of what is the service's own fault", async () => {
    expect(await answerTo(() => store.pool.query("select 1 / 0"))).toBe("internal error");
  });
});
