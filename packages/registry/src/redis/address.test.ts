import { describe, expect, it } from "vitest";
import { InvalidRedisUrlError, parseRedisUrl } from "./address.ts";

describe("a Redis URL", () => {
  it("names a server, and is described without its password", () => {
    const url = "rediss://user:secret@redis.example:6380/2";
    const address = { kind: "server", url, username: "user", description: "Redis at redis.example:6380" };
    expect(parseRedisUrl(url)).toEqual(address);
    expect(parseRedisUrl("redis://:secret@redis.example")).toMatchObject({ username: undefined });
  });

  it("names Sentinels and their master", () => {
    expect(parseRedisUrl("redis+sentinel://one:26380,two,[::1]:26381/weft")).toEqual({
      kind: "sentinel",
      sentinels: [
        { host: "one", port: 26_380 },
        { host: "two", port: 26_379 },
        { host: "::1", port: 26_381 },
      ],
      master: "weft",
      tls: false,
      db: 0,
      username: undefined,
      password: undefined,
      sentinelUsername: undefined,
      sentinelPassword: undefined,
      description: "Redis weft of the Sentinels at one:26380,two,[::1]:26381",
    });
  });

  it("names some nodes of a Cluster", () => {
    const address = {
      kind: "cluster",
      nodes: [
        { host: "one", port: 7001 },
        { host: "two", port: 6379 },
      ],
      tls: false,
      username: undefined,
      password: undefined,
      description: "Redis Cluster at one:7001,two",
    };
    expect(parseRedisUrl("redis+cluster://one:7001,two")).toEqual(address);
    expect(parseRedisUrl("rediss+cluster://weft:s%2Ccret@one:7001,two/")).toEqual({
      ...address,
      tls: true,
      username: "weft",
      password: "s,cret",
    });
  });

  it("has credentials for the master, and others for the Sentinels", () => {
    const address = parseRedisUrl(
      "rediss+sentinel://weft:s%2Ccret@one/weft?db=3&sentinelUsername=s&sentinelPassword=p+p",
    );
    expect(address).toMatchObject({ tls: true, db: 3, username: "weft", password: "s,cret" });
    expect(address).toMatchObject({ sentinelUsername: "s", sentinelPassword: "p+p" });
    expect(parseRedisUrl("redis+sentinel://:secret@one/weft")).toMatchObject({
      username: undefined,
      password: "secret",
    });
  });

  it.each([
    ["http://127.0.0.1", /a Redis URL is redis:\/\/host:6379, rediss:/],
    ["127.0.0.1:6379", /a Redis URL is/],
    ["redis+cluster://", /a node of a Cluster is host or host:port, not ""/],
    ["redis+cluster://one/0", /a URL of a Redis Cluster is redis\+cluster:.*no databases/],
    ["redis+sentinel://one,two", /the master's name is missing/],
    ["redis+sentinel://one,two/", /the master's name is missing/],
    ["redis+sentinel://one,/weft", /a Sentinel is host or host:port, not ""/],
    ["redis+sentinel://one:x/weft", /a Sentinel is host or host:port, not "one:x"/],
    ["redis+sentinel://one/weft/2", /a URL of Redis with Sentinels is redis\+sentinel:/],
    ["redis+sentinel://one/weft?db=a", /the option db is the number/],
    ["redis+sentinel://one/weft?role=slave", /there is no option role: db, sentinelUsername, sentinelPassword are/],
    ["redis+sentinel://:100%@one/weft", /a % in a name or password is written as %25/],
  ])("that is %s is refused with what to change", (url, message) => {
    expect(() => parseRedisUrl(url)).toThrow(InvalidRedisUrlError);
    expect(() => parseRedisUrl(url)).toThrow(message);
  });

  it("that is refused doesn't show its password", () => {
    expect(() => parseRedisUrl("redis+sentinel://user:secret@one")).toThrow(/^(?!.*secret)/);
  });
});
