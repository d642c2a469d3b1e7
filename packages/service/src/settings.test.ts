import { describe, expect, it } from "vitest";
import { readSettings, serviceSettings } from "./settings.ts";

const required = {
  DATABASE_URL: "postgres://order@127.0.0.1/order",
  NATS_URL: "nats://127.0.0.1:4222",
  REDIS_URL: "redis://127.0.0.1:6379",
};
const read = (env: Readonly<Record<string, string>>) => readSettings(serviceSettings, { ...required, ...env });

describe("the settings of a service", () => {
  it("are one server of each kind and one copy of each stream, unless more is said", () => {
    expect(read({})).toMatchObject({ ...required, NATS_REPLICAS: 1 });
  });

  it("may name the nodes of a NATS cluster, and the Sentinels of a Redis", () => {
    const several = {
      NATS_URL: "nats://one:4222,tls://two:4222,nats://three",
      REDIS_URL: "redis+sentinel://:secret@one:26379,two:26379/weft",
    };
    expect(read({ ...several, NATS_REPLICAS: "3" })).toMatchObject({ ...several, NATS_REPLICAS: 3 });
  });

  it.each([
    ["NATS_URL", "nats://one:4222,two:4222", /NATS_URL: expected nats:\/\/host:4222 or tls:/],
    ["NATS_URL", "nats://one:4222,", /NATS_URL: expected/],
    ["REDIS_URL", "redis+sentinel://one:26379", /REDIS_URL: the master's name is missing/],
    ["REDIS_URL", "http://one", /REDIS_URL: a Redis URL is/],
    ["NATS_REPLICAS", "0", /NATS_REPLICAS: /],
    ["NATS_REPLICAS", "7", /NATS_REPLICAS: /],
  ])("refuse %s=%s, naming it", (name, value, message) => {
    expect(() => read({ [name]: value })).toThrow(message);
  });
});
