import { describe, expect, it } from "vitest";
import { settings } from "./settings.ts";

const environment = {
  DATABASE_URL: "postgres://inventory:secret@127.0.0.1/inventory",
  NATS_URL: "nats://127.0.0.1:4222",
  REDIS_URL: "redis://127.0.0.1:6379",
};

describe("RESERVATION_TTL_MS", () => {
  it("is a minute unless it is set", () => {
    expect(settings.parse(environment).RESERVATION_TTL_MS).toBe(60_000);
    expect(settings.parse({ ...environment, RESERVATION_TTL_MS: "5000" }).RESERVATION_TTL_MS).toBe(5_000);
  });

  it.each(["0", "-1", "1.5", "soon", "100000000"])("refuses %s", (value) => {
    expect(() => settings.parse({ ...environment, RESERVATION_TTL_MS: value })).toThrow("RESERVATION_TTL_MS");
  });
});
