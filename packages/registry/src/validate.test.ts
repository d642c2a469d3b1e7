import { expect, test } from "vitest";
import { isInvalidRegistration } from "./errors.ts";
import type { Registration } from "./registry.ts";
import { maxMetadataBytes, validateRegistration } from "./validate.ts";

const good: Registration = {
  service: "shop.user.v1.UserService",
  instance: "user-1",
  host: "10.0.0.7",
  port: 9000,
  metadata: { zone: "eu-1a" },
};

test.each([
  "10.0.0.7",
  "127.0.0.1",
  "::1",
  "2001:db8::1",
  "::ffff:10.0.0.7",
  "localhost",
  "user-0.user.svc.cluster.local",
])("the host %s can be registered", (host) => validateRegistration({ ...good, host }));

test.each([
  ["0.0.0.0", "wildcard"],
  ["0.1.2.3", "wildcard"],
  ["::", "wildcard"],
  ["0:0:0:0:0:0:0:0", "wildcard"],
  ["::ffff:0.0.0.0", "wildcard"],
  ["169.254.169.254", "link-local"],
  ["::ffff:169.254.1.1", "link-local"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "link-local"],
  ["224.0.0.1", "multicast"],
  ["255.255.255.255", "broadcast"],
  ["ff02::1", "multicast"],
  ["", "neither"],
  ["user service", "neither"],
  ["10.0.0", "neither"],
  ["-user.example", "neither"],
])("the host %j is refused as %s", (host, word) => {
  expect(() => validateRegistration({ ...good, host })).toThrow(word);
});

test.each([
  ["an empty service name", { service: "" }, "shop.user.v1.UserService"],
  ["a service name that would leave its keys", { service: "a}:b" }, "full name"],
  ["an empty instance id", { instance: "" }, "instance"],
  ["an instance id with a space", { instance: "a b" }, "instance"],
  ["port 0", { port: 0 }, "after the server listens"],
  ["port 65536", { port: 65_536 }, "65535"],
  ["a port that is no whole number", { port: 80.5 }, "65535"],
  ["metadata over 4 KiB", { metadata: { note: "ü".repeat(maxMetadataBytes / 2) } }, "4096"],
] as [string, Partial<Registration>, string][])("%s is refused", (_, change, words) => {
  let error: unknown;
  try {
    validateRegistration({ ...good, ...change });
  } catch (thrown) {
    error = thrown;
  }
  expect(isInvalidRegistration(error) && error.message).toContain(words);
});

test("metadata of exactly 4 KiB is accepted", () => {
  const note = "x".repeat(maxMetadataBytes - '{"note":""}'.length);
  validateRegistration({ ...good, metadata: { note } });
});
