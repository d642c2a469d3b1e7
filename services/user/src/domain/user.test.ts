import { describe, expect, it } from "vitest";
import { changeDetails, closeAccount, normalised, openAccount, UserDeletedError } from "./user.ts";

const opened = new Date("2026-05-01T10:00:00Z");
const later = new Date("2026-05-02T10:00:00Z");
const ada = openAccount("u-1", { email: "Ada@Example.com", name: "Ada Lovelace" }, opened);

describe("an account", () => {
  it("is active when it is opened, under its address in small letters", () => {
    expect(ada).toEqual({
      id: "u-1",
      email: "ada@example.com",
      name: "Ada Lovelace",
      status: "active",
      createdAt: opened,
      updatedAt: opened,
    });
  });

  it("takes the details that are given and leaves the others", () => {
    expect(changeDetails(ada, { name: "Ada King" }, later)).toEqual({ ...ada, name: "Ada King", updatedAt: later });
    const moved = changeDetails(ada, { email: "Ada.King@Example.com" }, later);
    expect(moved).toEqual({ ...ada, email: "ada.king@example.com", updatedAt: later });
  });

  it.each([
    ["nothing is given", {}],
    ["they are what they were", { name: "Ada Lovelace" }],
    ["the address differs in case alone", { email: "ADA@example.com" }],
  ])("is the same object when %s, so that nobody is told of it", (_, changes) => {
    expect(changeDetails(ada, changes, later)).toBe(ada);
  });

  it("is closed once, and never changes again", () => {
    const closed = closeAccount(ada, later);
    expect(closed).toEqual({ ...ada, status: "deleted", updatedAt: later });
    expect(closeAccount(closed, new Date())).toBe(closed);
    expect(() => changeDetails(closed, { name: "Ada King" }, later)).toThrow(UserDeletedError);
  });
});

describe("an e-mail address", () => {
  it.each(["ada@example.com", "ADA@EXAMPLE.COM", " Ada@Example.com "])("as in %j is one and the same", (email) => {
    expect(normalised(email)).toBe("ada@example.com");
  });
});
